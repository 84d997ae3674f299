// Exact JSON: bytes in, a value out, with everything noticed that JSON.parse loses.
//
// How it works: one scan over the bytes counts keys, measures depth and looks for numbers that a double may not hold as written
// (fractions, exponents, 16 digits and more). Nearly every body is plain; then JSON.parse does the work, and as many keys in the
// value as in the bytes prove that none came twice. Other bodies take the slower parser beside this file, which keeps numbers'
// texts and remembers duplicates. Neither recurses on the input's depth, and keys such as __proto__ are ordinary data.
import type { Json } from '#api/meta/object.ts';
import { maxBodyValues, tooManyValues } from './body-limits.ts';
import { JsonError, parseSlowly } from './json-parser.ts';

/** A body as a value. It has no other holder: decoding may change it in place. */
export interface ParsedJson {
  readonly value: Json;
  /** All that came for the objects that have a key more than once. Undefined where there are none. */
  readonly duplicates: Duplicates | undefined;
  /** True where the value may hold a NumberText. */
  readonly hasNumberTexts: boolean;
}

/** By object, its members in the order of the document; the object itself holds the last of each. */
export type Duplicates = ReadonlyMap<object, readonly (readonly [key: string, value: Json])[]>;

/** Upstream's limit of nesting. */
const maxDepth = 10_000;

/** Parses what a client sent. Throws what `parseJson` throws, and ApiError RequestEntityTooLarge for more values than `most`. */
export function parseJsonBody(bytes: Uint8Array, most: number = maxBodyValues): ParsedJson {
  const scanned = scan(bytes);
  if (scanned.values > most) {
    // Check depth first: a body that is nested too deeply also has too many values.
    throw scanned.depth > maxDepth ? new JsonError(`invalid character '${scanned.tooDeep}' exceeded max depth`) : tooManyValues(most);
  }
  return parseScanned(bytes, scanned);
}

/** Parses JSON. Throws JsonError with the words of Go's encoding/json. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  return parseScanned(bytes, scan(bytes));
}

function parseScanned(bytes: Uint8Array, { keys, depth, isPlain }: Scan): ParsedJson {
  const text = textOf(bytes);
  if (isPlain && depth <= maxDepth) {
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // The slower parser finds the same fault and words it as Go does.
      return parseSlowly(text, maxDepth);
    }
    if (countKeys(value) === keys) return { value, duplicates: undefined, hasNumberTexts: false };
  }
  return parseSlowly(text, maxDepth);
}

export { JsonError };

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

interface Scan {
  readonly keys: number;
  /** Commas and beginnings of lists and objects: as many as values, but for the first in each. */
  readonly values: number;
  readonly depth: number;
  /** The bracket that was one too many. */
  readonly tooDeep: string;
  readonly isPlain: boolean;
}

/** Looks at every byte once. Counts only make sense for valid JSON; JSON.parse judges that. */
function scan(bytes: Uint8Array): Scan {
  const length = bytes.length;
  let keys = 0;
  let values = 0;
  let open = 0;
  let depth = 0;
  let tooDeep = '';
  let isPlain = true;
  let at = 0;
  while (at < length) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x22) {
      at++;
      for (let inside = bytes[at]; inside !== 0x22 && at < length; inside = bytes[at]) at += inside === 0x5c ? 2 : 1;
    } else if (byte === 0x3a) {
      keys++;
    } else if (byte === 0x7b || byte === 0x5b) {
      values++;
      if (++open > depth) depth = open;
      if (depth > maxDepth && tooDeep === '') tooDeep = byte === 0x5b ? '[' : '{';
    } else if (byte === 0x2c) {
      values++;
    } else if (byte === 0x7d || byte === 0x5d) {
      open--;
    } else if (isNumberStart(byte)) {
      const start = at;
      let next = byte;
      while (isNumberPart(next)) {
        if (next === 0x2e || next === 0x65 || next === 0x45) isPlain = false;
        next = bytes[++at] ?? 0;
      }
      if (at - start > 15) isPlain = false;
      continue;
    }
    at++;
  }
  return { keys, values, depth, tooDeep, isPlain };
}

function isNumberStart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d;
}

function isNumberPart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b;
}

function countKeys(root: Json): number {
  if (root === null || typeof root !== 'object') return 0;
  let count = 0;
  const waiting: object[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) {
      for (const item of next as unknown[]) if (typeof item === 'object' && item !== null) waiting.push(item);
      continue;
    }
    const object = next as Record<string, unknown>;
    for (const key in object) {
      count++;
      const item = object[key];
      if (typeof item === 'object' && item !== null) waiting.push(item);
    }
  }
  return count;
}
