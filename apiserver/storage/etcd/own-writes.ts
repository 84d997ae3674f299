import type { Clock } from '#base/clock.ts';
import type { KeyValue } from './messages.ts';

const limit = 4_096;
/** How long the watch is waited for, and how often it is looked at; only where a write is in doubt. */
const waitMs = 3_000;
const lookMs = 20;

/**
 * The bytes of writes that are under way, so that the events they come back as carry the very same buffer: what was decoded from it is known by
 * it. What is still here when the watch has come to a revision did not happen up to there.
 */
export class OwnWrites {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Uint8Array>();
  #reached = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(key: string, value: Uint8Array): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, value);
    // Those whose event never came.
    if (this.#byKey.size > limit) for (const oldest of this.#byKey.keys()) return void this.#byKey.delete(oldest);
  }

  /** The value of an event: our own buffer where it says the same. */
  valueOf({ key, value }: KeyValue): Uint8Array {
    const own = this.#byKey.get(key);
    if (own === undefined || Buffer.compare(own, value) !== 0) return value;
    this.#byKey.delete(key);
    return own;
  }

  /** For a write that did not happen, or of which nobody waits any more. */
  forget(key: string, value: Uint8Array): void {
    if (this.#byKey.get(key) === value) this.#byKey.delete(key);
  }

  /** A watch of everything begins: it may leave out what was under way until now, of which nothing can be said any more. */
  watchBegins(): void {
    this.#byKey.clear();
    this.#reached = 0;
  }

  /** That watch has told of everything up to a revision of etcd. */
  reach(revision: number): void {
    this.#reached = revision;
  }

  /** Whether a write had not happened by a revision of etcd, for sure: the watch came there and did not tell of it. */
  async isUnseen(key: string, value: Uint8Array, revision: number, signal: AbortSignal): Promise<boolean> {
    const untilMs = this.#clock.monotonicMs() + waitMs;
    while (this.#byKey.get(key) === value) {
      if (this.#reached >= revision) return true;
      if (this.#clock.monotonicMs() >= untilMs) return false;
      await this.#clock.sleep(lookMs, signal);
    }
    return false;
  }
}
