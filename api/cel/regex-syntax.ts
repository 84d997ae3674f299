// Whether a text is a regular expression in the syntax of RE2 as Go takes it, without matching anything. The messages are those of Go's
// regexp/syntax, limits of repetition and size included.
import { plain, unicodeNames } from './unicode-names.ts';

/** Copies of a part that nested counted repetitions may make. */
const maxRepeats = 1_000;
const maxDepth = 1_000;
/** Instructions of a compiled expression. */
const maxSize = Math.floor((128 * 1_024 * 1_024) / 40);

/** What is wrong with the pattern as Go says it; undefined where it is a good one. */
export function regexProblem(pattern: string): string | undefined {
  try {
    new PatternReader(pattern).read();
    return undefined;
  } catch (err) {
    if (err instanceof PatternProblem) return err.message;
    throw err;
  }
}

class PatternProblem extends Error {
  constructor(what: string, part: string) {
    super(`error parsing regexp: ${what}: \`${part}\``);
  }
}

/** A part of the pattern, as far as its limits go. */
interface Part {
  readonly size: number;
  readonly depth: number;
  /** The counted repetitions within. */
  readonly repeats: readonly Repeat[];
  /** A single character: such parts run together with their neighbours. */
  readonly isLiteral: boolean;
}

interface Repeat {
  readonly count: number;
  readonly inner: readonly Repeat[];
}

interface Group {
  readonly isCapture: boolean;
  /** Alternatives that are complete. */
  readonly alternatives: Part[];
  /** What stands in the current alternative. */
  parts: Part[];
}

const literal: Part = { size: 1, depth: 1, repeats: [], isLiteral: true };
const single: Part = { ...literal, isLiteral: false };

class PatternReader {
  readonly #text: string;
  #at = 0;
  readonly #groups: Group[] = [newGroup(false)];
  /** Where the repetition began that ends here, if one does. */
  #lastRepeat: number | undefined;
  #names: ReadonlySet<string> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    while (this.#at < this.#text.length) {
      const before = this.#lastRepeat;
      this.#lastRepeat = undefined;
      this.#item(before);
    }
    const [whole] = this.#groups;
    if (whole === undefined || this.#groups.length > 1) this.#fail('missing closing )', this.#text);
    this.#check(closed(whole));
  }

  #item(lastRepeat: number | undefined): void {
    const sign = this.#text[this.#at];
    switch (sign) {
      case '(':
        return this.#open();
      case ')':
        return this.#close();
      case '|':
        this.#at += 1;
        return this.#alternative();
      case '[':
        return this.#class();
      case '*':
      case '+':
      case '?':
        return this.#repeat(sign, 1, lastRepeat);
      case '{':
        return this.#counted(lastRepeat);
      case '\\':
        return this.#escaped();
      case '^':
      case '$':
      case '.':
        this.#at += 1;
        return this.#push(single);
      default:
        this.#next();
        return this.#push(literal);
    }
  }

  /** `what: part`, where the part reaches from `from` to the current place. */
  #failFrom(what: string, from: number): never {
    this.#fail(what, this.#text.slice(from, this.#at));
  }

  #fail(what: string, part: string): never {
    throw new PatternProblem(what, part);
  }

  /** The code point here; the empty text at the end. */
  #next(): string {
    const point = this.#text.codePointAt(this.#at);
    const text = point === undefined ? '' : String.fromCodePoint(point);
    this.#at += text.length;
    return text;
  }

  #group(): Group {
    return this.#groups.at(-1) ?? newGroup(false);
  }

  #push(part: Part): void {
    this.#group().parts.push(part);
  }

  #check(part: Part): void {
    if (part.size > maxSize) this.#fail('expression too large', this.#text);
    if (part.depth > maxDepth) this.#fail('expression nests too deeply', this.#text);
  }

  #alternative(): void {
    const group = this.#group();
    group.alternatives.push(sequence(group.parts));
    group.parts = [];
  }

  #open(): void {
    if (this.#text[this.#at + 1] === '?') return this.#openSpecial();
    this.#at += 1;
    this.#groups.push(newGroup(true));
  }

  #close(): void {
    const group = this.#groups.pop();
    if (group === undefined || this.#groups.length === 0) this.#fail('unexpected )', this.#text);
    this.#at += 1;
    const inner = closed(group);
    const part = group.isCapture ? { ...inner, size: inner.size + 2, depth: inner.depth + 1, isLiteral: false } : inner;
    this.#check(part);
    this.#push(part);
  }

  /** `(?P<name>`, `(?<name>`, `(?i)`, `(?i:`. */
  #openSpecial(): void {
    const from = this.#at;
    const rest = this.#text.slice(from);
    const named = /^\(\?P?</.exec(rest)?.[0];
    // A name needs at least one more character after the bracket for Go to look for one.
    if (named !== undefined && rest.length > named.length) {
      const end = rest.indexOf('>');
      if (end < 0) this.#fail('invalid named capture', rest);
      if (!/^\w+$/.test(rest.slice(named.length, end))) this.#fail('invalid named capture', rest.slice(0, end + 1));
      this.#at = from + end + 1;
      this.#groups.push(newGroup(true));
      return;
    }
    this.#at += 2;
    this.#flags(from);
  }

  #flags(from: number): void {
    let isNegative = false;
    let hasFlag = false;
    while (this.#at < this.#text.length) {
      const sign = this.#next();
      if ('imsU'.includes(sign)) {
        hasFlag = true;
      } else if (sign === '-' && !isNegative) {
        isNegative = true;
        hasFlag = false;
      } else {
        if ((sign !== ':' && sign !== ')') || (isNegative && !hasFlag)) break;
        if (sign === ':') this.#groups.push(newGroup(false));
        return;
      }
    }
    this.#failFrom('invalid or unsupported Perl syntax', from);
  }

  #counted(lastRepeat: number | undefined): void {
    const match = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/.exec(this.#text.slice(this.#at, this.#at + 10_240));
    if (match === null) {
      this.#at += 1;
      return this.#push(literal);
    }
    const [text, low = '', comma, high] = match;
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? -1 : Number(high);
    if (min > maxRepeats || max > maxRepeats || (max >= 0 && min > max)) this.#fail('invalid repeat count', text);
    return this.#repeat('{', text.length, lastRepeat, min, max);
  }

  #repeat(sign: string, length: number, lastRepeat: number | undefined, min = 0, max = 0): void {
    const from = this.#at;
    this.#at += length;
    if (this.#text[this.#at] === '?') this.#at += 1;
    if (lastRepeat !== undefined) this.#failFrom('invalid nested repetition operator', lastRepeat);
    const { parts } = this.#group();
    const part = parts.pop();
    if (part === undefined) this.#failFrom('missing argument to repetition operator', from);
    const count = max < 0 ? min : max;
    const repeats = sign === '{' && max !== 0 ? [{ count: Math.max(count, 1), inner: part.repeats }] : sign === '{' ? [] : part.repeats;
    const repeated = { size: repeatedSize(sign, part.size, min, max), depth: part.depth + 1, repeats, isLiteral: false };
    this.#check(repeated);
    if (sign === '{' && (min >= 2 || max >= 2) && !fits(repeats, maxRepeats)) this.#failFrom('invalid repeat count', from);
    parts.push(repeated);
    this.#lastRepeat = from;
  }

  #escaped(): void {
    const second = this.#text[this.#at + 1] ?? '';
    if (second !== '' && 'AbBz'.includes(second)) {
      this.#at += 2;
      return this.#push(single);
    }
    if (second === 'C') this.#fail('invalid escape sequence', '\\C');
    if (second === 'Q') return this.#quoted();
    if (this.#classEscape()) return this.#push(single);
    this.#escape();
    return this.#push(literal);
  }

  /** `\Q…\E`: characters as they are. */
  #quoted(): void {
    this.#at += 2;
    const end = this.#text.indexOf('\\E', this.#at);
    const stop = end < 0 ? this.#text.length : end;
    while (this.#at < stop) {
      this.#next();
      this.#push(literal);
    }
    if (end >= 0) this.#at = end + 2;
  }

  /** `\d`, `\pL`, `\p{Greek}`; false where something else stands here. */
  #classEscape(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (/^\\[dDsSwW]$/.test(rest)) {
      this.#at += 2;
      return true;
    }
    if (!/^\\[pP]$/.test(rest)) return false;
    const from = this.#at;
    this.#at += 2;
    let name = this.#next();
    if (name === '{') {
      const end = this.#text.indexOf('}', from);
      if (end < 0) this.#fail('invalid character class range', this.#text.slice(from));
      name = this.#text.slice(from + 3, end);
      this.#at = end + 1;
    }
    this.#names ??= unicodeNames();
    if (!this.#names.has(plain(name.startsWith('^') ? name.slice(1) : name))) this.#failFrom('invalid character class range', from);
    return true;
  }

  /** A character that is written with a backslash. */
  #escape(): number {
    const from = this.#at;
    this.#at += 1;
    if (this.#at >= this.#text.length) this.#fail('trailing backslash at end of expression', '');
    const sign = this.#next();
    const code = sign.codePointAt(0) ?? 0;
    if (code < 0x80 && !/[0-9A-Za-z]/.test(sign)) return code;
    const simple = 'afnrtv'.indexOf(sign);
    if (simple >= 0) return [7, 12, 10, 13, 9, 11][simple] ?? 0;
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(this.#text.slice(this.#at - 1, this.#at + 2))?.[0];
    if (octal !== undefined) {
      this.#at += octal.length - 1;
      return Number.parseInt(octal, 8);
    }
    if (sign !== 'x') this.#failFrom('invalid escape sequence', from);
    return this.#hexadecimal(from);
  }

  #hexadecimal(from: number): number {
    const fail = (): never => this.#failFrom('invalid escape sequence', from);
    if (this.#at >= this.#text.length) fail();
    const first = this.#next();
    if (first !== '{') {
      const digits = first + this.#next();
      return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : fail();
    }
    let value = 0;
    for (let count = 0; this.#at < this.#text.length; count += 1) {
      const digit = this.#next();
      if (digit === '}') return count > 0 ? value : fail();
      if (!/^[0-9A-Fa-f]$/.test(digit)) break;
      value = value * 16 + Number.parseInt(digit, 16);
      if (value > 0x10_ffff) break;
    }
    return fail();
  }

  #class(): void {
    const from = this.#at;
    this.#at += 1;
    if (this.#text[this.#at] === '^') this.#at += 1;
    for (let isFirst = true; isFirst || this.#text[this.#at] !== ']'; isFirst = false) {
      if (!this.#namedClass() && !this.#classEscape()) this.#classRange(from);
    }
    this.#at += 1;
    this.#push(single);
  }

  /** `[:alpha:]` within brackets. */
  #namedClass(): boolean {
    if (!this.#text.startsWith('[:', this.#at)) return false;
    const end = this.#text.indexOf(':]', this.#at + 2);
    if (end < 0) return false;
    const name = this.#text.slice(this.#at, end + 2);
    if (!posixClass.test(name)) this.#fail('invalid character class range', name);
    this.#at = end + 2;
    return true;
  }

  #classRange(classFrom: number): void {
    const from = this.#at;
    const low = this.#classCharacter(classFrom);
    if (this.#text[this.#at] !== '-' || this.#at + 1 >= this.#text.length || this.#text[this.#at + 1] === ']') return;
    this.#at += 1;
    if (this.#classCharacter(classFrom) < low) this.#failFrom('invalid character class range', from);
  }

  #classCharacter(classFrom: number): number {
    if (this.#at >= this.#text.length) this.#fail('missing closing ]', this.#text.slice(classFrom));
    return this.#text[this.#at] === '\\' ? this.#escape() : (this.#next().codePointAt(0) ?? 0);
  }
}

const posixClass = /^\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]$/;

function newGroup(isCapture: boolean): Group {
  return { isCapture, alternatives: [], parts: [] };
}

function closed({ alternatives, parts }: Group): Part {
  return alternatives.length === 0 ? sequence(parts) : together([...alternatives, sequence(parts)], alternatives.length);
}

function sequence(parts: readonly Part[]): Part {
  const [first] = parts;
  if (first === undefined) return single;
  if (parts.length === 1) return first;
  return parts.every(({ isLiteral }) => isLiteral) ? { ...literal, size: parts.length, isLiteral: false } : together(parts, 0);
}

function together(parts: readonly Part[], extra: number): Part {
  let [size, depth] = [extra, 0];
  for (const part of parts) {
    size += part.size;
    depth = Math.max(depth, part.depth);
  }
  return { size, depth: depth + 1, repeats: parts.flatMap(({ repeats }) => repeats), isLiteral: false };
}

function repeatedSize(sign: string, size: number, min: number, max: number): number {
  if (sign === '*') return 2 + size;
  if (sign !== '{') return 1 + size;
  if (max < 0) return min === 0 ? 2 + size : 1 + min * size;
  return Math.max(1, max * size + max - min);
}

/** True where nested repetitions make no more than `copies` of anything. */
function fits(repeats: readonly Repeat[], copies: number): boolean {
  return repeats.every(({ count, inner }) => count <= copies && fits(inner, Math.floor(copies / count)));
}
