export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Growth per step; default 2. */
  readonly factor?: number;
  /** Share of each delay that is random, 0 to 1; default 0. A delay lies in [d, d × (1 + jitter)]. */
  readonly jitter?: number;
  /** Gives numbers in [0, 1); default Math.random. */
  readonly random?: () => number;
}

/** Growing delays between attempts. `next` gives the delay and grows, `reset` starts over: call it on success. */
export class Backoff {
  readonly #options: BackoffOptions;
  #steps = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many delays were handed out since the last reset. */
  get steps(): number {
    return this.#steps;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const { initialMs, maxMs, factor = 2, jitter = 0, random = Math.random } = this.#options;
    const delayMs = Math.min(maxMs, initialMs * factor ** this.#steps);
    this.#steps++;
    return delayMs * (1 + jitter * random());
  }

  reset(): void {
    this.#steps = 0;
  }
}
