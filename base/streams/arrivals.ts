/** Things that arrive one by one and are taken by one reader; at most `limit` wait, beyond that `push` says no. */
export class Arrivals<T> implements AsyncIterable<T> {
  readonly #limit: number;
  #waiting: T[] = [];
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when too many wait already, or nothing is taken any more. */
  push(one: T): boolean {
    if (this.#hasEnded || this.#waiting.length >= this.#limit) return false;
    this.#waiting.push(one);
    this.#wake?.();
    return true;
  }

  /** What waits is still given out. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const one = this.#waiting.shift();
      if (one !== undefined) yield one;
      else if (this.#hasEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
