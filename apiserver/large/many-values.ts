import type { KindDefinition } from '#api/kind.ts';

/** Values from which on an object's steps are worth another process: applying so many takes some 40 ms, creating them 5. */
const manyValues = 2_000;
/** Smaller bodies have fewer, whatever they say. */
const smallBytes = 2 * manyValues;
/** The most elaborate expressions take some 10 ms. */
const muchToCompileBytes = 16 * 1_024;
const longToShowBytes = 32 * 1_024;
/** Protobuf says nothing of its values but by being read. */
const largeProtobufBytes = 32 * 1_024;

const quote = 0x22;
const backslash = 0x5c;

/** Whether JSON has many values: looks at every byte outside of texts until it has seen enough. */
export function hasManyValues(json: Uint8Array, most: number = manyValues): boolean {
  if (json.length < Math.min(smallBytes, 2 * most)) return false;
  let left = most;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quote) at = endOfText(json, at);
    else if ((byte === 0x2c || byte === 0x5b || byte === 0x7b) && --left < 0) return true;
  }
  return false;
}

/** Whether an object takes long to read and to write in another form: smaller ones take a millisecond, whatever they hold. */
export function takesLongToShow(json: Uint8Array): boolean {
  return json.length >= longToShowBytes && hasManyValues(json);
}

/** Whether reading a body takes long. */
export function isLargeBody({ bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string }): boolean {
  if (bytes.length < smallBytes) return false;
  if (mediaType.endsWith('protobuf')) return bytes.length >= largeProtobufBytes;
  if (!mediaType.endsWith('yaml')) return hasManyValues(bytes);
  return hasManyLines(bytes) || hasManyValues(bytes);
}

/** Whether texts that are compiled may take long; as texts count by their length, many values need not be there. */
export function compilesMuch(
  kind: KindDefinition,
  body: { readonly bytes: Uint8Array } | undefined,
  previous: Uint8Array | undefined,
): boolean {
  return kind.compilesTexts === true && Math.max(body?.bytes.length ?? 0, previous?.length ?? 0) >= muchToCompileBytes;
}

/** YAML is a value to a line, or more. */
function hasManyLines(bytes: Uint8Array): boolean {
  let left = manyValues;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) if (--left < 0) return true;
  return false;
}

/** Where a text ends that begins at `start`; the end of everything where it does not. */
function endOfText(json: Uint8Array, start: number): number {
  for (let end = json.indexOf(quote, start + 1); end >= 0; end = json.indexOf(quote, end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
}
