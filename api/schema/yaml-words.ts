// What is wrong with a YAML text, in the words of upstream's library (go.yaml.in/yaml/v2, libyaml's own), which people look up. The package
// that reads it here tells other things and counts otherwise; where its error has no counterpart, its own words stay.
import type { YAMLError } from 'yaml';

/** What found the mistake: the scanner counts lines from one, the parser from zero, and neither names the first. */
type Finder = 'scanner' | 'parser';

const cannotStart = 'found character that cannot start any token';
const noMapping = 'mapping values are not allowed in this context';

/** `yaml: line 3: did not find expected key`. */
export function yamlProblem({ code, message, pos }: Pick<YAMLError, 'code' | 'message' | 'pos'>, text: string): string {
  const [first = ''] = message.split('\n');
  const found = wordsOf(code, first, text, pos[0]);
  if (found === undefined) return `yaml: line ${lineOf(text, pos[0]) + 1}: ${first.replace(/ at line \d+, column \d+:?$/, '')}`;
  const [finder, words, at = pos[0]] = found;
  const line = lineOf(text, at);
  return line === 0 ? `yaml: ${words}` : `yaml: line ${finder === 'scanner' ? line + 1 : line}: ${words}`;
}

function wordsOf(code: YAMLError['code'], message: string, text: string, at: number): [Finder, string, at?: number] | undefined {
  switch (code) {
    case 'TAB_AS_INDENT':
    case 'BAD_SCALAR_START':
      return ['scanner', cannotStart];
    case 'BAD_DQ_ESCAPE':
      return ['scanner', 'found unknown escape character'];
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['scanner', noMapping, colonAfter(text, at)];
    case 'MULTILINE_IMPLICIT_KEY':
      return /^[-?](\s|$)/.test(text.slice(at, at + 2))
        ? ['parser', 'did not find expected key']
        : ['scanner', noMapping, colonAfter(text, at)];
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
      return missing(message);
    case 'UNEXPECTED_TOKEN':
      return /^Unexpected (scalar|flow-(map|seq)-end)/.test(message) ? ['parser', 'did not find expected key'] : undefined;
    default:
      return undefined;
  }
}

function missing(message: string): [Finder, string] | undefined {
  if (message.startsWith('Missing closing ')) return ['scanner', 'found unexpected end of stream'];
  if (message.startsWith('Flow sequence ')) return ['parser', "did not find expected ',' or ']'"];
  if (message.startsWith('Flow map ')) return ['parser', "did not find expected ',' or '}'"];
  if (message.startsWith('All mapping items ') || message.startsWith('Sequence item without '))
    return ['parser', 'did not find expected key'];
  if (message.startsWith('Implicit map keys need ')) return ['scanner', "could not find expected ':'"];
  if (message.startsWith('Missing directives-end')) return ['parser', 'did not find expected <document start>'];
  return undefined;
}

/** Where the value begins that may not be there. */
function colonAfter(text: string, at: number): number {
  const found = text.slice(at).search(/:(\s|$)/);
  return found < 0 ? at : at + found;
}

/** Counted from zero. */
function lineOf(text: string, at: number): number {
  let line = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', end + 1)) line++;
  return line;
}
