// What a client would like to read, by its Accept header.

/** One media type of an Accept header. */
export interface MediaRange {
  /** `application/json`, `application/*`, `*` + `/*`. */
  readonly type: string;
  readonly params: Readonly<Record<string, string>>;
  readonly quality: number;
}

/**
 * The ranges of an Accept header, best first, in the order of the parser that upstream uses: what is named exactly also goes before a
 * wildcard of higher quality that stands right before it, types and values are taken letter by letter, and `q=0` comes last but counts.
 */
export function parseAccept(accept: string): MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const text of accept.split(',')) {
    const [media = '', ...rest] = text.split(';');
    const type = media.trim() === '*' ? '*/*' : media.split('/').map(trimmed).join('/');
    if (type.split('/').length !== 2) continue;
    const params: Record<string, string> = Object.create(null) as Record<string, string>;
    let quality = 1;
    for (const param of rest) {
      const [name = '', value, tail] = param.split('=');
      if (value === undefined || tail !== undefined) continue;
      if (name.trim() === 'q') quality = Number(value) || 0;
      else params[name.trim()] = value.trim();
    }
    let at = ranges.length;
    const range = { type, params, quality };
    for (let before = ranges[at - 1]; before !== undefined && goesBefore(range, before); before = ranges[at - 1]) at--;
    ranges.splice(at, 0, range);
  }
  return ranges;
}

function trimmed(text: string): string {
  return text.trim();
}

function goesBefore(range: MediaRange, other: MediaRange): boolean {
  if (range.quality > other.quality) return true;
  const isWilder = (at: 0 | 1): boolean => range.type.split('/')[at] !== '*' && other.type.split('/')[at] === '*';
  return isWilder(0) || isWilder(1);
}
