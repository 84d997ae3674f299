// Base64 as Go's StdEncoding reads it, with its words for what is wrong.

/** The text is no base64; the message is Go's. */
export class Base64Error extends Error {
  override readonly name = 'Base64Error';
}

const wellFormed = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The text with its line breaks and spare bits gone, as Go writes the same bytes. Throws Base64Error. */
export function canonicalBase64(text: string): string {
  if (!wellFormed.test(text)) {
    const joined = text.replace(/[\r\n]/g, '');
    if (joined.length === text.length || !wellFormed.test(joined))
      throw new Base64Error(`illegal base64 data at input byte ${faultAt(text)}`);
    return canonicalBase64(joined);
  }
  // Only the last character before the padding can carry spare bits.
  return text.endsWith('=') ? Buffer.from(text, 'base64').toString('base64') : text;
}

/** Where Go's decoder gives up. */
function faultAt(text: string): number {
  let inQuantum = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\r' || char === '\n') continue;
    if (/[A-Za-z0-9+/]/.test(char)) {
      inQuantum = (inQuantum + 1) % 4;
      continue;
    }
    if (char !== '=' || inQuantum < 2) return at;
    return faultInPadding(text, at, inQuantum);
  }
  return text.length - inQuantum;
}

/** The first `=` came at `at`, where padding is allowed; what follows is wrong. */
function faultInPadding(text: string, at: number, inQuantum: number): number {
  const skip = (from: number): number => from + (/^[\r\n]*/.exec(text.slice(from))?.[0].length ?? 0);
  let next = skip(at + 1);
  if (inQuantum === 2) {
    if (next >= text.length) return text.length;
    if (text[next] !== '=') return next;
    next = skip(next + 1);
  }
  return next;
}
