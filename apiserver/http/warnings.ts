/** Runes of all warnings of an answer, and of one warning where that is too much: what proxies and clients bear (upstream's limits). */
export const totalRunes = 4_096;
const itemRunes = 256;

/** How many runes of a text are shown at least, whatever stands beside it; cheaper than counting them. */
export function leastShown(text: string): number {
  return Math.min(itemRunes, Math.ceil(text.length / 2));
}

/** The Warning headers for these texts. Where they are too long in all, each is cut, and the last ones are left out. */
export function warningHeaders(texts: readonly string[]): string[] {
  const runes = texts.map((text) => Array.from(text).length);
  if (runes.reduce((sum, count) => sum + count, 0) <= totalRunes) return texts.map(warningHeader);
  const headers: string[] = [];
  let written = 0;
  for (const [at, text] of texts.entries()) {
    if (written >= totalRunes) break;
    const count = Math.min(runes[at] ?? 0, itemRunes);
    headers.push(warningHeader(count === runes[at] ? text : Array.from(text).slice(0, count).join('')));
    written += count;
  }
  return headers;
}

/** RFC 7234's warn-value; control characters would end the header and are dropped. */
function warningHeader(text: string): string {
  const clean = Buffer.from(text.replace(/\p{Cc}/gu, ' ')).toString('latin1');
  return `299 - "${clean.replace(/["\\]/g, '\\$&')}"`;
}
