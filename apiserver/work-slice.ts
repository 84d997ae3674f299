import { setImmediate } from 'node:timers/promises';

/**
 * Long work in one process shares the event loop: whoever works counts what it has done, and lets others run when it was enough. What
 * counts is the caller's choice (objects, bytes); a slice should take a few milliseconds.
 */
export class WorkSlice {
  readonly #limit: number;
  #done = 0;
  #pause: Promise<void> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  spend(amount: number): void {
    this.#done += amount;
  }

  /** True when others are waiting for their turn. */
  get isOver(): boolean {
    return this.#done >= this.#limit;
  }

  /** Yields to other work; the next slice begins afterwards. Those who share a slice yield together. */
  async rest(): Promise<void> {
    this.#pause ??= this.#turn();
    await this.#pause;
  }

  async #turn(): Promise<void> {
    await setImmediate();
    this.#done = 0;
    this.#pause = undefined;
  }
}

/** Yields to other work once. */
export function turn(): Promise<void> {
  return setImmediate();
}
