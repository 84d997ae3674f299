// Hands committed changes to watchers. One bounded tail of recent events serves all of them; each watcher only remembers how far
// it has come, so a slow one costs nothing and delays no other: behind the tail it reads the engine's log again. What all of them
// have taken is let go of at once: a hundred events later the garbage collector would take them for things that stay, with their values.
// Invariant: `append` is called in revision order, once per commit, after the commit can be read through `replay`.
import type { StoreEvent } from './contract.ts';

/** Enough for a watcher that misses a few turns; values stay in memory as long as they are here. */
const tailLimit = 256;
const replayLimit = 500;

interface EventFeedOptions {
  /** Newest revision at the start. */
  readonly revision: number;
  /** Up to `limit` events above a revision, in order; throws StoreError 'compacted' where the log does not reach back. */
  readonly replay: (afterRevision: number, limit: number) => readonly StoreEvent[];
}

export class EventFeed {
  readonly #replay: EventFeedOptions['replay'];
  #tail: StoreEvent[] = [];
  /** Every event above this revision is in the tail. */
  #tailFloor: number;
  #revision: number;
  readonly #watchers = new Set<{ seen: number }>();
  #sleepers: (() => void)[] = [];

  constructor({ revision, replay }: EventFeedOptions) {
    this.#replay = replay;
    this.#revision = revision;
    this.#tailFloor = revision;
  }

  /** Newest revision handed out. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes one commit's events. */
  append(events: readonly StoreEvent[]): void {
    for (const event of events) this.#tail.push(event);
    this.#revision = events.at(-1)?.revision ?? this.#revision;
    if (this.#tail.length > 2 * tailLimit) {
      const dropped = this.#tail.splice(0, this.#tail.length - tailLimit);
      this.#tailFloor = dropped.at(-1)?.revision ?? this.#tailFloor;
    }
    this.#wakeAll();
  }

  /** Everything under `prefix` above a revision, in batches, until the signal aborts. */
  async *watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<readonly StoreEvent[], void, undefined> {
    const mine = { seen: afterRevision };
    // The tail may reach further back than what was not compacted; compaction counts.
    this.#replay(afterRevision, 0);
    const wakeOnAbort = (): void => this.#wakeAll();
    signal.addEventListener('abort', wakeOnAbort, { once: true });
    this.#watchers.add(mine);
    try {
      while (!signal.aborted) {
        const events = mine.seen >= this.#tailFloor ? this.#tailAbove(mine.seen) : this.#replay(mine.seen, replayLimit);
        const last = events.at(-1);
        if (last === undefined) {
          await new Promise<void>((resolve) => this.#sleepers.push(resolve));
          continue;
        }
        mine.seen = last.revision;
        this.#dropTaken();
        const wanted = prefix === '' ? events : events.filter((event) => event.key.startsWith(prefix));
        if (wanted.length > 0) yield wanted;
      }
    } finally {
      signal.removeEventListener('abort', wakeOnAbort);
      this.#watchers.delete(mine);
    }
  }

  #wakeAll(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    for (const wake of sleepers) wake();
  }

  /** Drops the tail once every reader has consumed it. */
  #dropTaken(): void {
    for (const { seen } of this.#watchers) if (seen < this.#revision) return;
    this.#tail = [];
    this.#tailFloor = this.#revision;
  }

  #tailAbove(revision: number): readonly StoreEvent[] {
    // Almost always only the newest few are new, so search from the end.
    let start = this.#tail.length;
    while (start > 0 && (this.#tail[start - 1]?.revision ?? 0) > revision) start--;
    return start === 0 ? [...this.#tail] : this.#tail.slice(start);
  }
}
