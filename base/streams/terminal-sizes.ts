import type { TerminalSize } from './session.ts';

/** What a client may send as one size, at most. */
const maxTextBytes = 4_096;

/** The sizes of a client's terminal as they come; a reader that is slow sees only the newest. One reader at a time. */
export class TerminalSizes implements AsyncIterable<TerminalSize> {
  #text = '';
  #newest: TerminalSize | undefined;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  /** Takes bytes of JSON objects `{"Width":80,"Height":24}`, one behind the other. What is no size is skipped. */
  push(bytes: Buffer): void {
    this.#text += bytes.toString('latin1');
    for (;;) {
      const end = this.#text.indexOf('}');
      if (end === -1) break;
      const size = parseSize(this.#text.slice(0, end + 1));
      this.#text = this.#text.slice(end + 1);
      if (size !== undefined) this.#newest = size;
    }
    if (this.#text.length > maxTextBytes) this.#text = '';
    if (this.#newest !== undefined) this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void, void> {
    for (;;) {
      const size = this.#newest;
      if (size !== undefined) {
        this.#newest = undefined;
        yield size;
      } else if (this.#hasEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width: width, Height: height } = JSON.parse(text.trim()) as { Width?: unknown; Height?: unknown };
    return isCount(width) && isCount(height) ? { width, height } : undefined;
  } catch {
    // Not a size: the client's terminal keeps the one it had.
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}
