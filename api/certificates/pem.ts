/** A block between BEGIN and END lines. */
interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

const begin = '-----BEGIN ';
const end = '-----END ';
const dashes = '-----';

/** The blocks of a PEM text; what stands between or is broken is passed over, as Go does. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly type: string; readonly lines: string[] } | undefined;
  for (const line of text.split('\n').map((one) => one.trimEnd())) {
    if (line.startsWith(begin) && line.endsWith(dashes)) {
      open = { type: line.slice(begin.length, -dashes.length), lines: [] };
    } else if (open !== undefined && line === `${end}${open.type}${dashes}`) {
      const body = open.lines.filter((one) => !one.includes(':'));
      blocks.push({ type: open.type, hasHeaders: body.length < open.lines.length, bytes: Buffer.from(body.join(''), 'base64') });
      open = undefined;
    } else {
      open?.lines.push(line);
    }
  }
  return blocks;
}
