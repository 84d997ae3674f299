const lineBreak = Buffer.from('\r\n');
/** Larger chunks are made for one watcher and forgotten. */
const keptBytes = 256 * 1024;

/**
 * Puts frames into HTTP/1.1 chunks. Many watchers get the same frames right after one another, so the last chunk is kept for the
 * next: then a delivery copies nothing.
 */
export class FrameChunks {
  #frames: readonly Uint8Array[] = [];
  #chunk = Buffer.alloc(0);

  /** One chunk with all the frames, as it goes over the connection. Must not be changed. */
  of(frames: readonly Uint8Array[]): Buffer {
    if (isSame(this.#frames, frames)) return this.#chunk;
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    const chunk = Buffer.concat([Buffer.from(`${bytes.toString(16)}\r\n`, 'latin1'), ...frames, lineBreak]);
    if (bytes <= keptBytes) [this.#frames, this.#chunk] = [frames, chunk];
    return chunk;
  }
}

function isSame(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}
