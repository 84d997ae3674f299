// Finds its way in JSON without white space, byte by byte, without parsing it.

export const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
export const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The index behind the quote that ends the string whose first byte is at `start`; beyond the end where none does. */
export function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let inside = bytes[at]; inside !== quote && at < bytes.length; inside = bytes[++at]) if (inside === backslash) at++;
  return at + 1;
}

/** The index behind the object or array that begins at `start`; undefined where it does not end. */
export function endOfNested(bytes: Uint8Array, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at + 1) - 1;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1;
  }
  return undefined;
}

/** The index behind the value that begins at `start`; undefined where there is none, or it does not end. */
export function endOfValue(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start];
  if (first === openBrace || first === openBracket) return endOfNested(bytes, start);
  if (first === quote) return endOfString(bytes, start + 1);
  let at = start;
  for (let byte = first; byte !== undefined && byte !== comma && byte !== closeBrace && byte !== closeBracket; byte = bytes[++at]);
  return at > start ? at : undefined;
}

/**
 * Goes through the members of the object that begins at `start`: `visit` hears where each name lies, quotes excluded, and where its value.
 * Answers the index behind the object; undefined where there is none, or it does not end.
 */
export function eachMember(
  bytes: Uint8Array,
  start: number,
  visit: (nameStart: number, nameEnd: number, valueStart: number, valueEnd: number) => void,
): number | undefined {
  if (bytes[start] !== openBrace) return undefined;
  if (bytes[start + 1] === closeBrace) return start + 2;
  for (let at = start + 1; ; at++) {
    if (bytes[at] !== quote) return undefined;
    const nameEnd = endOfString(bytes, at + 1);
    if (bytes[nameEnd] !== colon) return undefined;
    const end = endOfValue(bytes, nameEnd + 1);
    if (end === undefined) return undefined;
    visit(at + 1, nameEnd - 1, nameEnd + 1, end);
    at = end;
    if (bytes[at] === closeBrace) return at + 1;
    if (bytes[at] !== comma) return undefined;
  }
}

/** How many objects and arrays that begin at or behind `start` are open at `end`, which lies in no string; 0 where all ended before. */
export function depthBetween(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfString(bytes, at + 1) - 1;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return 0;
  }
  return depth;
}
