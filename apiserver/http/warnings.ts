/** Runes of all warnings of an answer, and of one warning where that is too much: what proxies and clients bear (upstream's limits). */
export const totalRunes = 4_096;
const itemRunes = 256;

/** How many runes of a text are shown at least, whatever stands beside it; cheaper than counting them. */
export function leastShown(text: string): number {
  return Math.min(itemRunes, Math.ceil(text.length / 2));
}

/**
 * The Warning headers for these texts, but for those that none can carry: empty ones, and with control characters. Where they are too
 * long in all, each is cut, and the last ones are left out.
 */
export function warningHeaders(warnings: readonly string[]): string[] {
  const texts = warnings.filter((text) => text !== '' && !/\p{Cc}/u.test(text));
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

/** RFC 7234's warn-value, in UTF-8 as the bytes of a header are. */
function warningHeader(text: string): string {
  return `299 - "${Buffer.from(text).toString('latin1').replace(/["\\]/g, '\\$&')}"`;
}
