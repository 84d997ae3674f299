import type { Clock } from '#base/clock.ts';
import { aborted } from '#base/lifecycle.ts';

/** A flag with one waiter. Setting it several times before the waiter resumes wakes it once. */
export class Wakeup {
  #isSet = false;
  #waiter: (() => void) | undefined;

  set(): void {
    this.#isSet = true;
    this.#waiter?.();
  }

  /** Resolves when the flag is set, at the latest after `ms`, and clears it; answers which. Rejects with the signal's reason. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<'set' | 'due'> {
    signal.throwIfAborted();
    if (!this.#isSet && ms > 0) {
      using deadline = clock.deadline(signal, ms);
      const set = new Promise<void>((resolve) => (this.#waiter = resolve));
      await Promise.race([set, aborted(deadline.signal)]);
      this.#waiter = undefined;
      signal.throwIfAborted();
    }
    const was = this.#isSet ? 'set' : 'due';
    this.#isSet = false;
    return was;
  }
}
