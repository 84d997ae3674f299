import type { CacheEvent } from './cache-event.ts';

const minEvents = 100;
const maxEvents = 102_400;
const freshMs = 75_000;
/** Idle resources may keep this much of what is no longer current. */
const idleBytes = 32 * 1_024 * 1_024;

/**
 * The recent events of one resource, for watches that start in the past. Keeps at least 100 events and at most 102,400, and within
 * these bounds everything of the last 75 seconds.
 */
export class EventRing {
  /** Oldest first, from `#start` on. */
  #events: CacheEvent[] = [];
  #start = 0;
  #bytes = 0;
  /** Every event above this revision is here. */
  #floor: number;

  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Watches from below this revision are too old. */
  get floor(): number {
    return this.#floor;
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.sizeBytes;
    const size = this.#events.length - this.#start;
    const oldest = this.#events[this.#start];
    if (size > maxEvents || (size > minEvents && oldest !== undefined && event.atMs - oldest.atMs > freshMs)) this.#drop();
  }

  /** Lets go of old events that keep much memory alive. */
  trim(nowMs: number): void {
    while (this.#bytes > idleBytes) {
      const oldest = this.#events[this.#start];
      if (oldest === undefined || nowMs - oldest.atMs <= freshMs || this.#events.length - this.#start <= minEvents) return;
      this.#drop();
    }
  }

  /** Events above `revision`, oldest first; undefined when the ring does not reach back so far. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#floor) return undefined;
    // Watches mostly resume from the near past, but may come from anywhere in the ring.
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }

  /** Forgets everything up to a revision. */
  reset(floor: number): void {
    this.#events = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#floor = floor;
  }

  #drop(): void {
    const oldest = this.#events[this.#start];
    if (oldest === undefined) return;
    this.#floor = oldest.revision;
    this.#bytes -= oldest.sizeBytes;
    this.#start++;
    if (this.#start > 1_024 && this.#start > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }
}
