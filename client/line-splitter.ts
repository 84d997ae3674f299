/** Cuts a byte stream into lines. Lines come without their newline; empty ones are left out; a chunk may be kept until its line ends. */
export class LineSplitter {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** @param limitBytes a longer line is refused by throwing: memory stays bounded whatever the other side sends. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of the unfinished line. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** The lines that `chunk` finished, as text. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (end < 0) break;
      this.#keep(chunk.subarray(from, end));
      if (this.#bytes > 0) lines.push(this.#take());
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Uint8Array): void {
    if (this.#bytes + part.length > this.#limitBytes) throw new Error(`a line is longer than ${this.#limitBytes} bytes`);
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  #take(): string {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }
}
