// YAML as upstream writes it: block style, keys in their natural order, sequences not indented below their key, strings quoted where
// YAML 1.1 would read something else. A library writes the same in the fiftyfold time, which a list of pods cannot afford.
// Nothing here recurses: a stack holds what is open, whatever the depth of the value.

/** A mapping or sequence with the entries that are left. */
interface Open {
  readonly indent: string;
  readonly entries: Iterator<readonly [key: string | undefined, value: unknown]>;
  /** True until the first entry was written. */
  isFirst: boolean;
  /** The first entry continues the current line, as after a dash. */
  readonly isInline: boolean;
}

const longKey = 128;
/** Words and numbers that YAML 1.1 does not take for text. */
const resolved = [
  /^(?:~|null|Null|NULL|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|True|TRUE|false|False|FALSE|<<|=)?$/,
  /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/,
  /^[-+]?[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/,
  /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/,
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]+\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?\s*(?:Z|[-+]\d{1,2}(?::?\d{2})?)?)?$/,
];
/** Starts that mean something in YAML, and what ends a plain scalar. */
const notPlain = /^[,[\]{}#&*!|>'"%@` ]|^[-?:](?: |$)|^(?:---|\.\.\.)|: | #|:$| $/;
// eslint-disable-next-line no-control-regex
const needsEscapes = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]/u;
// eslint-disable-next-line no-control-regex
const escaped = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A JSON value as a YAML document. */
export function yamlText(value: unknown): string {
  const out: string[] = [];
  const stack: Open[] = [];
  begin(value, { indent: '', place: 'root' }, out, stack);
  for (let open = stack.at(-1); open !== undefined; open = stack.at(-1)) {
    const { done, value: entry } = open.entries.next();
    if (done === true) {
      stack.pop();
      continue;
    }
    const [key, inner] = entry;
    if (!open.isFirst || !open.isInline) out.push(open.indent);
    open.isFirst = false;
    if (key === undefined) out.push('-');
    else out.push(keyText(key, open.indent), ':');
    begin(inner, { indent: open.indent, place: key === undefined ? 'item' : 'field' }, out, stack);
  }
  return out.join('');
}

interface Position {
  readonly indent: string;
  /** The whole document, or after the `:` of a key, or after the dash of a sequence. */
  readonly place: 'root' | 'field' | 'item';
}

/** Writes a scalar, or opens a mapping or a sequence. */
function begin(value: unknown, { indent, place }: Position, out: string[], stack: Open[]): void {
  const gap = place === 'root' ? '' : ' ';
  if (typeof value !== 'object' || value === null) {
    out.push(gap, typeof value === 'string' ? scalarText(value, `${indent}  `) : String(value ?? null), '\n');
    return;
  }
  const isList = Array.isArray(value);
  const entries = isList ? value.map((one: unknown) => [undefined, one] as const) : sortedEntries(value);
  if (entries.length === 0) {
    out.push(gap, isList ? '[]' : '{}', '\n');
    return;
  }
  if (place === 'item') out.push(' ');
  else if (place === 'field') out.push('\n');
  const isSameLevel = place === 'root' || (isList && place === 'field');
  const deeper = isSameLevel ? indent : `${indent}  `;
  stack.push({ indent: deeper, entries: entries[Symbol.iterator](), isFirst: true, isInline: place !== 'field' });
}

function sortedEntries(value: object): (readonly [string, unknown])[] {
  const entries: (readonly [string, unknown])[] = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return entries.sort(([left], [right]) => compareKeys(left, right));
}

/** Letters by their code and behind everything else, numbers by their value. */
export function compareKeys(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  const [a, b] = [left[at], right[at]];
  if (a === undefined || b === undefined) return left.length - right.length;
  const [isLetter, isOtherLetter] = [/\p{L}/u.test(a), /\p{L}/u.test(b)];
  if (isLetter !== isOtherLetter) return isLetter ? 1 : -1;
  const byNumber = numberAt(left, at) - numberAt(right, at);
  return byNumber === 0 || Number.isNaN(byNumber) ? (a < b ? -1 : 1) : byNumber;
}

/** The whole number that the digit at `at` belongs to; NaN where there is none. */
function numberAt(text: string, at: number): number {
  let start = at;
  while (start > 0 && isDigit(text[start - 1])) start--;
  let end = at;
  while (end < text.length && isDigit(text[end])) end++;
  return start === end ? Number.NaN : Number(text.slice(start, end));
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

function keyText(key: string, indent: string): string {
  const text = key.includes('\n') ? quoted(key) : scalarText(key, '');
  return key.length > longKey ? `? ${text}\n${indent}` : text;
}

/** `indent` is that of the lines of a text of several. */
function scalarText(text: string, indent: string): string {
  if (needsEscapes.test(text)) return quoted(text);
  if (text.includes('\n')) return literal(text, indent);
  if (resolved.some((pattern) => pattern.test(text))) return quoted(text);
  return notPlain.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}

/** Several lines as they are; quoted where spaces at the edges would get lost. */
function literal(text: string, indent: string): string {
  if (/^[ \n]| \n| $/.test(text)) return quoted(text);
  const body = text.replace(/\n+$/, '');
  const breaks = text.length - body.length;
  const lines = body.replace(/\n(?!\n)/g, `\n${indent}`);
  const chomping = breaks === 0 ? '-' : breaks === 1 ? '' : '+';
  return `|${chomping}\n${indent}${lines}${'\n'.repeat(Math.max(0, breaks - 1))}`;
}

/** JSON's escapes are YAML's, too. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(escaped, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
