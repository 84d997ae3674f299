// The values of literals.
import type { LiteralValue } from './ast.ts';
import { type Token, tokenType } from './tokens.ts';

/** A literal's value, or what is wrong with it. */
export type LiteralReading = { readonly value: LiteralValue } | { readonly problem: string };

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

export function readLiteral({ type, text }: Token, isNegative: boolean): LiteralReading {
  switch (type) {
    case tokenType.int: {
      const value = isNegative ? -BigInt(text) : BigInt(text);
      return value < minInt || value > maxInt ? { problem: 'invalid int literal' } : { value: { type: 'int', value } };
    }
    case tokenType.uint: {
      const value = BigInt(text.slice(0, -1));
      return value > maxUint ? { problem: 'invalid uint literal' } : { value: { type: 'uint', value } };
    }
    case tokenType.float: {
      const value = isNegative ? -Number(text) : Number(text);
      return Number.isFinite(value) ? { value: { type: 'double', value } } : { problem: 'invalid double literal' };
    }
    case tokenType.string:
      return readString(text);
    case tokenType.bytes:
      return readBytes(text.slice(1));
    case tokenType.true:
    case tokenType.false:
      return { value: { type: 'bool', value: type === tokenType.true } };
    default:
      return { value: { type: 'null' } };
  }
}

const simpleEscapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Escapes of code points: hexadecimal digits, then the octal form. */
const coded = /^(?:[xX]([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2}))$/;
const escapes = /\\(?:[xX][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-3][0-7]{2}|[^])/gu;

class EscapeProblem extends Error {}

function readString(text: string): LiteralReading {
  const { content, isRaw } = withoutQuotes(text);
  if (isRaw || !content.includes('\\')) return { value: { type: 'string', value: content } };
  return orProblem(() => ({ type: 'string', value: content.replace(escapes, (escape) => unescapeText(escape.slice(1))) }));
}

function readBytes(text: string): LiteralReading {
  const { content, isRaw } = withoutQuotes(text);
  if (isRaw || !content.includes('\\')) return { value: { type: 'bytes', value: new TextEncoder().encode(content) } };
  return orProblem(() => ({ type: 'bytes', value: unescapeBytes(content) }));
}

function orProblem(read: () => LiteralValue): LiteralReading {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof EscapeProblem) return { problem: error.message };
    throw error;
  }
}

/** All ends of lines become `\n`, in raw literals too. */
function withoutQuotes(text: string): { content: string; isRaw: boolean } {
  const isRaw = /^[rR]/.test(text);
  const quoted = (isRaw ? text.slice(1) : text).replace(/\r\n?/g, '\n');
  const quotes = quoted.length >= 6 && /^(?:"""|''')/.test(quoted) ? 3 : 1;
  return { content: quoted.slice(quotes, -quotes), isRaw };
}

/** An escape without its backslash. */
function unescapeText(escape: string): string {
  const point = codePoint(escape);
  if (point === undefined) return simpleEscapes[escape] ?? escape;
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new EscapeProblem('invalid unicode code point');
  return String.fromCodePoint(point);
}

function unescapeBytes(content: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  let at = 0;
  for (const match of content.matchAll(escapes)) {
    const escape = match[0].slice(1);
    if (/^[uU]/.test(escape)) throw new EscapeProblem('unable to unescape string');
    bytes.push(...encoder.encode(content.slice(at, match.index)));
    const byte = codePoint(escape);
    if (byte === undefined) bytes.push(...encoder.encode(simpleEscapes[escape] ?? escape));
    else bytes.push(byte);
    at = match.index + match[0].length;
  }
  bytes.push(...encoder.encode(content.slice(at)));
  return Uint8Array.from(bytes);
}

function codePoint(escape: string): number | undefined {
  const match = coded.exec(escape);
  if (match === null) return undefined;
  const [, byte, short, long, octal] = match;
  const hexadecimal = byte ?? short ?? long;
  return hexadecimal === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hexadecimal, 16);
}
