// The engine mixes standard output and standard error of a container without a terminal into one stream: 8 bytes of header (which
// stream, how long), then that many bytes. Frames are taken apart without copying their content.

export interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  /** The frame goes on in the next piece. */
  readonly more: boolean;
}

const headerBytes = 8;

/** Cuts a framed stream into pieces; a large frame comes as several, so that memory stays bounded by the chunks. */
export async function* splitFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Piece, void, undefined> {
  let header = Buffer.alloc(0);
  let stream: Piece['stream'] = 'stdout';
  let left = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        yield { stream, bytes, more: left > 0 };
        continue;
      }
      const part = chunk.subarray(at, at + headerBytes - header.length);
      at += part.length;
      header = Buffer.concat([header, part]);
      if (header.length < headerBytes) continue;
      // 0 (standard input) is what the engine calls what it echoes to standard output.
      stream = header[0] === 2 ? 'stderr' : 'stdout';
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
}
