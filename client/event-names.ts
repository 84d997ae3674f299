import { randomInt } from 'node:crypto';

const nanosPerMs = 1_000_000;

/** Names of events, ascending. The clock knows milliseconds, in which others may tell of the same object too, so chance picks the rest. */
export class EventNames {
  #lastNano = 0n;

  /** `<object>.<nanoseconds in hex>`, at most as long as a name may be. */
  next(objectName: string, nowMs: number): string {
    const nano = BigInt(Math.floor(nowMs)) * BigInt(nanosPerMs) + BigInt(randomInt(nanosPerMs));
    this.#lastNano = nano > this.#lastNano ? nano : this.#lastNano + 1n;
    const suffix = `.${this.#lastNano.toString(16)}`;
    return objectName.slice(0, 253 - suffix.length) + suffix;
  }
}
