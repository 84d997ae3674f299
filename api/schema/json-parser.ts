// The careful parser behind json.ts: keeps the text of numbers that a double may not hold as written, remembers duplicate keys,
// and words faults as Go's encoding/json does (its scanner.go has the states that the messages name). One loop, no recursion.
import type { Json } from '#api/meta/object.ts';
import type { ParsedJson } from './json.ts';

/** The text is no JSON; the message is Go's, without a prefix. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * A number as it was written, where the double nearest to it may differ or be written differently: `1.0`, `1e3`, 2^53 and beyond.
 * Stands in a parsed value in place of the number; decoding by a schema resolves it.
 */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** For JSON.stringify: a whole number is written back digit by digit. */
  toJSON(): unknown {
    return this.#isLong() ? rawNumber(this.text) : this.toJson();
  }

  /** The value for places without a schema: a number, or this for whole numbers that no double holds. */
  toJson(): Json {
    if (this.#isLong()) return this as unknown as Json;
    const number = Number(this.text);
    return Number.isFinite(number) ? number : 0;
  }

  #isLong(): boolean {
    return /^-?\d+$/.test(this.text) && !Number.isSafeInteger(Number(this.text));
  }
}

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const plainInteger = /^-?\d{1,15}$/;
const literals: readonly [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

interface Frame {
  readonly holder: Json[] | { [key: string]: Json };
  key: string;
}

/** Parses with every detail kept. `depthLimit` is the most that may be open at once. */
export function parseSlowly(text: string, depthLimit: number): ParsedJson {
  return new Parser(text, depthLimit).parse();
}

class Parser {
  readonly #text: string;
  readonly #depthLimit: number;
  readonly #frames: Frame[] = [];
  readonly #duplicates = new Map<object, [key: string, value: Json][]>();
  #at = 0;
  #hasNumberTexts = false;

  constructor(text: string, depthLimit: number) {
    this.#text = text;
    this.#depthLimit = depthLimit;
  }

  parse(): ParsedJson {
    let value = this.#begin();
    for (;;) {
      // Here `value` is complete unless a container has just been opened and waits for its first element.
      const frame = this.#frames.at(-1);
      if (value === undefined) {
        value = this.#begin();
        continue;
      }
      if (frame === undefined) break;
      this.#put(frame, value);
      value = this.#next(frame);
    }
    this.#space();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
    return { value, duplicates: this.#duplicates.size === 0 ? undefined : this.#duplicates, hasNumberTexts: this.#hasNumberTexts };
  }

  /** Reads a scalar or an empty container; opens any other container and answers undefined. */
  #begin(): Json | undefined {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '{' || char === '[') return this.#open(char);
    if (char === '"') return this.#string();
    if (char !== undefined && (char === '-' || (char >= '0' && char <= '9'))) return this.#number();
    for (const [word, value] of literals) if (char === word[0]) return this.#literal(word, value);
    return this.#fail('looking for beginning of value');
  }

  #open(char: '{' | '['): Json | undefined {
    if (this.#frames.length >= this.#depthLimit) this.#fail('exceeded max depth');
    this.#at++;
    this.#space();
    const isObject = char === '{';
    if (this.#text[this.#at] === (isObject ? '}' : ']')) {
      this.#at++;
      return isObject ? {} : [];
    }
    if (!isObject) {
      this.#frames.push({ holder: [], key: '' });
      return undefined;
    }
    this.#frames.push({ holder: {}, key: this.#key() });
    return undefined;
  }

  /** After an element: opens the way to the next one (undefined), or closes the container and answers it. */
  #next(frame: Frame): Json | undefined {
    this.#space();
    const char = this.#text[this.#at];
    const isArray = Array.isArray(frame.holder);
    if (char === ',') {
      this.#at++;
      if (!isArray) {
        this.#space();
        frame.key = this.#key();
      }
      return undefined;
    }
    if (char !== (isArray ? ']' : '}')) this.#fail(isArray ? 'after array element' : 'after object key:value pair');
    this.#at++;
    this.#frames.pop();
    return frame.holder;
  }

  #put(frame: Frame, value: Json): void {
    const { holder, key } = frame;
    if (Array.isArray(holder)) {
      holder.push(value);
      return;
    }
    const members = this.#duplicates.size === 0 ? undefined : this.#duplicates.get(holder);
    if (members !== undefined) members.push([key, value]);
    else if (Object.hasOwn(holder, key)) this.#duplicates.set(holder, [...Object.entries(holder), [key, value]]);
    // Defined, not assigned: `__proto__` is data.
    Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
  }

  #key(): string {
    if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string');
    const key = this.#string();
    this.#space();
    if (this.#text[this.#at] !== ':') this.#fail('after object key');
    this.#at++;
    return key;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      // NaN at the end compares false everywhere.
      if (!(code >= 0x20)) this.#fail('in string literal');
      this.#at++;
      if (code === 0x5c) this.#escape();
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #escape(): void {
    const char = this.#text[this.#at];
    if (char === 'u') {
      this.#at++;
      for (let digit = 0; digit < 4; digit++, this.#at++) {
        if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
      }
      return;
    }
    if (char === undefined || !'bfnrt\\/"'.includes(char)) this.#fail('in string escape code');
    this.#at++;
  }

  #number(): Json {
    numberForm.lastIndex = this.#at;
    const found = numberForm.exec(this.#text)?.[0];
    if (found === undefined) {
      this.#at++;
      return this.#fail('in numeric literal');
    }
    this.#at += found.length;
    const next = this.#text[this.#at];
    // What the pattern left behind is a point or an exponent without digits.
    if (next === '.' && /^-?\d+$/.test(found)) {
      this.#at++;
      this.#fail('after decimal point in numeric literal');
    }
    if ((next === 'e' || next === 'E') && !/[eE]/.test(found)) {
      this.#at += /^[eE][+-]/.test(this.#text.slice(this.#at, this.#at + 2)) ? 2 : 1;
      this.#fail('in exponent of numeric literal');
    }
    if (plainInteger.test(found)) return Number(found);
    this.#hasNumberTexts = true;
    return new NumberText(found) as unknown as Json;
  }

  #literal(word: string, value: Json): Json {
    for (let offset = 1; offset < word.length; offset++) {
      const char = word[offset] ?? '';
      this.#at++;
      if (this.#text[this.#at] !== char) this.#fail(`in literal ${word} (expecting ${quoteChar(char)})`);
    }
    this.#at++;
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) throw new JsonError('unexpected end of JSON input');
    throw new JsonError(`invalid character ${quoteChar(this.#text[this.#at] ?? '')} ${context}`);
  }
}

/** A character as Go quotes it in messages; Go sees bytes, so of a wider character it shows the first. */
function quoteChar(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  const byte = Buffer.from(char, 'utf8')[0] ?? 0;
  if (byte < 0x20 || byte === 0x7f || (byte >= 0x80 && byte < 0xa1) || byte === 0xad) {
    const short = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' }[byte];
    return `'${short ?? (byte < 0x80 ? `\\x${byte.toString(16).padStart(2, '0')}` : `\\u00${byte.toString(16)}`)}'`;
  }
  return byte === 0x5c ? "'\\\\'" : `'${String.fromCharCode(byte)}'`;
}

/** JSON.rawJSON, which this version of the language library does not declare yet. */
function rawNumber(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
