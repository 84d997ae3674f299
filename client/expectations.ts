// A controller that creates or deletes children must not act again before its cache shows what it did: it would make too many.
// So it notes how many creations and which deletions it expects to see, and waits until they came by, or for five minutes.
import type { Clock } from '#base/clock.ts';

interface Expected {
  creations: number;
  /** Keys of children whose removal is awaited. */
  readonly deletions: Set<string>;
  readonly sinceMs: number;
}

const expiryMs = 300_000;

/** The expectations of one controller, by the key of the parent object. */
export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when everything expected was seen, nothing was ever expected, or it took so long that the cache must be believed. */
  isSatisfied(parent: string): boolean {
    const expected = this.#expected.get(parent);
    if (expected === undefined) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    return this.#clock.monotonicMs() - expected.sinceMs > expiryMs;
  }

  /** Before creating `count` children. Replaces what was expected. */
  expectCreations(parent: string, count: number): void {
    this.#expected.set(parent, { creations: count, deletions: new Set(), sinceMs: this.#clock.monotonicMs() });
  }

  /** Before deleting children; they are named by anything that stays the same (uid). Replaces what was expected. */
  expectDeletions(parent: string, children: readonly string[]): void {
    this.#expected.set(parent, { creations: 0, deletions: new Set(children), sinceMs: this.#clock.monotonicMs() });
  }

  /** A child appeared in the cache, or creating it failed. */
  creationSeen(parent: string): void {
    const expected = this.#expected.get(parent);
    if (expected !== undefined) expected.creations--;
  }

  /** A child went from the cache or got a deletionTimestamp, or deleting it failed. */
  deletionSeen(parent: string, child: string): void {
    this.#expected.get(parent)?.deletions.delete(child);
  }

  /** The parent is gone. */
  forget(parent: string): void {
    this.#expected.delete(parent);
  }
}
