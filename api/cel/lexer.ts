// Cuts a source into tokens: always the longest that fits. White space and comments are passed over. Where nothing fits, what was read up to
// and with the character that ended all hope is reported and skipped, as upstream's generated lexer does.
import type { CelProblem } from './ast.ts';
import type { Source } from './source.ts';
import { keywords, signs, type Token, type TokenType, tokenType } from './tokens.ts';

const whiteSpace = /[\t\n\f\r ]/;
const letter = /[A-Za-z_]/;
const digit = /[0-9]/;
const word = /[A-Za-z0-9_]/;
const hexDigit = /[0-9A-Fa-f]/;
const octalDigit = /[0-7]/;
const escapedName = /[A-Za-z0-9_./ -]/;
const simpleEscape = /[abfnrtv"'`\\?]/;
const hexEscapeLengths: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

/** Either a token or the place where the text stopped being the beginning of one. */
type Scan = { readonly type: TokenType; readonly end: number } | { readonly type: undefined; readonly failedAt: number };

export class Lexer {
  readonly #source: Source;
  readonly #report: (problem: CelProblem) => void;
  /** Where text was skipped, in order. */
  readonly #skipped: { readonly from: number; readonly to: number }[] = [];
  #position = 0;

  constructor(source: Source, report: (problem: CelProblem) => void) {
    this.#source = source;
    this.#report = report;
  }

  /** The next token; at the end `endOfText`, again and again. */
  next(): Token {
    for (;;) {
      this.#passSpace();
      const start = this.#position;
      if (this.#source.at(start) === undefined) return { type: tokenType.endOfText, start, end: start, text: '<EOF>' };
      const scan = this.#scan(start);
      if (scan.type !== undefined) {
        this.#position = scan.end;
        return { type: scan.type, start, end: scan.end, text: this.#source.slice(start, scan.end) };
      }
      const end = Math.min(scan.failedAt + 1, this.#source.length);
      this.#report({ at: start, message: `Syntax error: token recognition error at: '${this.#source.slice(start, end)}'` });
      this.#skipped.push({ from: start, to: end });
      this.#position = end;
    }
  }

  /** The text between two places without what was skipped as no token. */
  textBetween(from: number, to: number): string {
    let text = '';
    let at = from;
    for (const skipped of this.#skipped) {
      if (skipped.from < at || skipped.to > to) continue;
      text += this.#source.slice(at, skipped.from);
      at = skipped.to;
    }
    return text + this.#source.slice(at, to);
  }

  #passSpace(): void {
    for (;;) {
      this.#position = this.#end(this.#position, whiteSpace);
      if (!this.#isAt('//', this.#position)) return;
      this.#position = this.#end(this.#position, /[^\n]/u);
    }
  }

  #scan(start: number): Scan {
    const source = this.#source;
    const first = source.at(start) ?? '';
    if (letter.test(first)) return this.#wordOrPrefixed(start);
    if (digit.test(first) || (first === '.' && digit.test(source.at(start + 1) ?? ''))) return this.#number(start);
    if (first === '"' || first === "'") return this.#string(start, false);
    if (first === '`') return this.#escapedIdentifier(start);
    const second = source.at(start + 1);
    const two = second === undefined ? undefined : signs.get(first + second);
    if (two !== undefined) return { type: two, end: start + 2 };
    const one = signs.get(first);
    if (one !== undefined) return { type: one, end: start + 1 };
    const couldBeTwo = first === '=' || first === '&' || first === '|';
    return { type: undefined, failedAt: couldBeTwo ? start + 1 : start };
  }

  #wordOrPrefixed(start: number): Scan {
    const prefix = /^([bB]?[rR]?)["']/.exec(this.#source.slice(start, start + 3))?.[1] ?? '';
    if (prefix !== '') {
      const quoted = this.#string(start + prefix.length, /[rR]/.test(prefix));
      if (quoted.type !== undefined) return /[bB]/.test(prefix) ? { ...quoted, type: tokenType.bytes } : quoted;
    }
    const end = this.#end(start, word);
    return { type: keywords.get(this.#source.slice(start, end)) ?? tokenType.identifier, end };
  }

  #number(start: number): Scan {
    const source = this.#source;
    const isHex = source.at(start) === '0' && source.at(start + 1) === 'x' && hexDigit.test(source.at(start + 2) ?? '');
    const wholeEnd = isHex ? this.#end(start + 2, hexDigit) : this.#end(start, digit);
    if (!isHex) {
      const hasFraction = source.at(wholeEnd) === '.' && digit.test(source.at(wholeEnd + 1) ?? '');
      const fractionEnd = hasFraction ? this.#end(wholeEnd + 1, digit) : wholeEnd;
      const end = this.#exponentEnd(fractionEnd);
      if (end > wholeEnd) return { type: tokenType.float, end };
    }
    if (/[uU]/.test(source.at(wholeEnd) ?? '')) return { type: tokenType.uint, end: wholeEnd + 1 };
    return { type: tokenType.int, end: wholeEnd };
  }

  #exponentEnd(start: number): number {
    if (!/[eE]/.test(this.#source.at(start) ?? '')) return start;
    const digits = /[+-]/.test(this.#source.at(start + 1) ?? '') ? start + 2 : start + 1;
    const end = this.#end(digits, digit);
    return end === digits ? start : end;
  }

  /** From the quote on. Three quotes that nothing closes are an empty string and the beginning of another one. */
  #string(start: number, isRaw: boolean): Scan {
    const quote = this.#source.at(start) ?? '';
    if (this.#isAt(quote.repeat(3), start)) {
      const long = this.#quoted(start + 3, quote.repeat(3), isRaw);
      if (long.type !== undefined) return long;
    }
    return this.#quoted(start + 1, quote, isRaw);
  }

  #quoted(start: number, closing: string, isRaw: boolean): Scan {
    const spansLines = closing.length === 3;
    let at = start;
    for (;;) {
      const point = this.#source.at(at);
      if (point === undefined || (!spansLines && (point === '\n' || point === '\r'))) return { type: undefined, failedAt: at };
      if (this.#isAt(closing, at)) return { type: tokenType.string, end: at + closing.length };
      if (point !== '\\' || isRaw) {
        at += 1;
        continue;
      }
      const escape = this.#escape(at);
      if (escape.type === undefined) return escape;
      at = escape.end;
    }
  }

  #escape(start: number): Scan {
    const kind = this.#source.at(start + 1) ?? '';
    if (simpleEscape.test(kind)) return { type: tokenType.string, end: start + 2 };
    const isOctal = /[0-3]/.test(kind);
    const digits = isOctal ? 2 : hexEscapeLengths[kind];
    if (digits === undefined) return { type: undefined, failedAt: start + 1 };
    const end = start + 2 + digits;
    for (let at = start + 2; at < end; at += 1) {
      if (!(isOctal ? octalDigit : hexDigit).test(this.#source.at(at) ?? '')) return { type: undefined, failedAt: at };
    }
    return { type: tokenType.string, end };
  }

  #escapedIdentifier(start: number): Scan {
    const end = this.#end(start + 1, escapedName);
    if (end === start + 1 || this.#source.at(end) !== '`') return { type: undefined, failedAt: end };
    return { type: tokenType.escapedIdentifier, end: end + 1 };
  }

  #isAt(text: string, start: number): boolean {
    for (let index = 0; index < text.length; index += 1) {
      if (this.#source.at(start + index) !== text[index]) return false;
    }
    return true;
  }

  /** Where the run of matching code points ends. */
  #end(start: number, matching: RegExp): number {
    let end = start;
    for (let point = this.#source.at(end); point !== undefined && matching.test(point); point = this.#source.at(end)) end += 1;
    return end;
  }
}
