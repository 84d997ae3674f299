import type { Clock } from '#base/clock.ts';

/** Full at first; each event takes one token, and `perSecond` come back, up to `burst`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  /** Thousandths of tokens: what comes back within milliseconds adds up without rounding. */
  thousandths: number;
  filledAtMs: number;
}

/** Token buckets by key. The ones that were asked least recently are forgotten, and are full when they come back. */
export class Buckets {
  readonly #rate: Rate;
  readonly #size: number;
  readonly #clock: Clock;
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param size how many keys to remember. */
  constructor(rate: Rate, size: number, clock: Clock) {
    this.#rate = rate;
    this.#size = size;
    this.#clock = clock;
  }

  /** Whether there was a token left for this key. */
  take(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(key) ?? { thousandths: burst * 1_000, filledAtMs: nowMs };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    bucket.thousandths = Math.min(burst * 1_000, bucket.thousandths + (nowMs - bucket.filledAtMs) * perSecond);
    bucket.filledAtMs = nowMs;
    this.#forget();
    if (bucket.thousandths < 1_000) return false;
    bucket.thousandths -= 1_000;
    return true;
  }

  #forget(): void {
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#size && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
