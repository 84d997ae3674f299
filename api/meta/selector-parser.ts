// Reads the text form of label selectors: a scanner, then one function per part of the grammar.
import { type Requirement, requirement, SelectorError, type SelectorOperator } from './label-requirement.ts';
import { qualifiedNameProblems } from './names.ts';

/** `word` is a key, a value or one of the operators `in` and `notin`; `end` follows the last one. */
interface Token {
  readonly type: 'symbol' | 'word' | 'end';
  readonly text: string;
}

const symbols = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const special = '=!(),><';
const space = ' \t\r\n';

/** All requirements of a text selector. Throws SelectorError. */
export function readRequirements(text: string): Requirement[] {
  const tokens = scan(text);
  let at = 0;
  const peek = (): Token => tokens[at] ?? { type: 'end', text: '' };
  const take = (): Token => {
    const token = peek();
    at++;
    return token;
  };
  const requirements: Requirement[] = [];
  for (;;) {
    const start = peek();
    if (start.type === 'end') return requirements;
    if (!startsRequirement(start)) throw new SelectorError(`found '${start.text}', expected: !, identifier, or 'end of string'`);
    requirements.push(readRequirement({ peek, take }));
    const next = take();
    if (next.type === 'end') return requirements;
    if (!isSymbol(next, ',')) throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
    if (!startsRequirement(peek())) throw new SelectorError(`found '${peek().text}', expected: identifier after ','`);
  }
}

interface Tokens {
  peek(): Token;
  take(): Token;
}

function readRequirement(tokens: Tokens): Requirement {
  try {
    const isNegated = isSymbol(tokens.peek(), '!');
    if (isNegated) tokens.take();
    const { type, text: key } = tokens.take();
    if (type !== 'word') throw new SelectorError(`found '${key}', expected: identifier`);
    const problems = qualifiedNameProblems(key);
    if (problems.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
    if (isNegated) return requirement(key, '!', []);
    if (tokens.peek().type === 'end' || isSymbol(tokens.peek(), ',')) return requirement(key, 'exists', []);
    const operator = readOperator(tokens.take());
    const values = operator === 'in' || operator === 'notin' ? readList(tokens) : [readValue(tokens)];
    return requirement(key, operator, [...new Set(values)].toSorted());
  } catch (error) {
    if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
    throw error;
  }
}

function readOperator({ text }: Token): SelectorOperator {
  if (text === '>') return 'gt';
  if (text === '<') return 'lt';
  if (text === '=' || text === '==' || text === '!=' || text === 'in' || text === 'notin') return text;
  throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
}

function readList(tokens: Tokens): string[] {
  const open = tokens.take();
  if (!isSymbol(open, '(')) throw new SelectorError(`found '${open.text}' expected: '('`);
  const first = tokens.peek();
  if (isSymbol(first, ')')) {
    tokens.take();
    return [''];
  }
  if (first.type !== 'word' && !isSymbol(first, ',')) {
    throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
  }
  const values = readValues(tokens);
  if (!isSymbol(tokens.take(), ')')) throw new SelectorError(`found '${first.text}', expected: ')'`);
  return values;
}

/** Values up to the closing bracket; a missing one between commas is the empty text. */
function readValues(tokens: Tokens): string[] {
  const values: string[] = [];
  for (;;) {
    const token = tokens.take();
    if (token.type === 'word') {
      values.push(token.text);
      if (isSymbol(tokens.peek(), ')')) return values;
      if (!isSymbol(tokens.peek(), ',')) throw new SelectorError(`found '${tokens.peek().text}', expected: ',' or ')'`);
    } else if (isSymbol(token, ',')) {
      if (values.length === 0) values.push('');
      if (isSymbol(tokens.peek(), ')')) return [...values, ''];
      if (isSymbol(tokens.peek(), ',')) {
        tokens.take();
        values.push('');
      }
    } else {
      throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}

function readValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next.type === 'end' || isSymbol(next, ',')) return '';
  const { type, text } = tokens.take();
  if (type !== 'word') throw new SelectorError(`found '${text}', expected: identifier`);
  return text;
}

function startsRequirement(token: Token): boolean {
  return token.type === 'word' || isSymbol(token, '!');
}

function isSymbol(token: Token, text: string): boolean {
  return token.type === 'symbol' && token.text === text;
}

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (space.includes(char)) {
      at++;
      continue;
    }
    let end = at;
    if (special.includes(char)) {
      // The longest known symbol wins: `!=` before `!`.
      end = symbols.has(text.slice(at, at + 2)) ? at + 2 : at + 1;
      tokens.push({ type: 'symbol', text: text.slice(at, end) });
    } else {
      while (end < text.length && !special.includes(text.charAt(end)) && !space.includes(text.charAt(end))) end++;
      tokens.push({ type: 'word', text: text.slice(at, end) });
    }
    at = end;
  }
  return tokens;
}
