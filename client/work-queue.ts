// A queue of keys for workers, with three guarantees: a key is processed by one worker at a time; a key that is added again while it is
// being processed is processed once more afterwards; a key that is added many times while it waits is processed once.
// `#dirty` holds the keys to process, `#processing` those in progress; `#ready` is #dirty without #processing, in order.
// Delayed keys wait in a heap that `run` empties as they fall due. All state changes between awaits, on one thread.
import type { Clock } from '#base/clock.ts';
import { Heap } from './heap.ts';

interface WorkQueueOptions {
  readonly clock: Clock;
  /** First delay of `addFailed`, doubled each time; default 5 ms. */
  readonly initialDelayMs?: number;
  /** Default 1000 s. */
  readonly maxDelayMs?: number;
  readonly observe?: WorkQueueObserver;
}

/** Notified of each step of a key; for metrics. */
export interface WorkQueueObserver {
  added(depth: number): void;
  /** `waitedMs` since it was added. */
  taken(depth: number, waitedMs: number): void;
  finished(workedMs: number): void;
  retried(): void;
}

interface Delayed {
  readonly key: string;
  readonly dueMs: number;
}

/** See the head of this file. Memory is bounded by the number of distinct keys. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #observe: WorkQueueObserver | undefined;
  readonly #ready = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #processing = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Heap<Delayed>((a, b) => a.dueMs - b.dueMs);
  readonly #dueOf = new Map<string, number>();
  readonly #waiters: ((key: string) => void)[] = [];
  #wakeTimer: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#initialDelayMs = options.initialDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000;
    this.#observe = options.observe;
  }

  /** Keys that wait for a worker; delayed ones not counted. */
  get depth(): number {
    return this.#ready.size;
  }

  /** When work began (monotonic milliseconds) on each key that is with a worker. */
  get processingSince(): Iterable<number> {
    return this.#processing.values();
  }

  add(key: string): void {
    if (this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#enqueue(key);
    this.#observe?.added(this.#ready.size);
  }

  /** Adds after `ms`. Of several delays of one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) return this.add(key);
    const dueMs = this.#clock.monotonicMs() + ms;
    const known = this.#dueOf.get(key);
    if (known !== undefined && known <= dueMs) return;
    this.#dueOf.set(key, dueMs);
    this.#delayed.push({ key, dueMs });
    if (this.#delayed.peek()?.dueMs === dueMs) this.#wakeTimer?.();
  }

  /** Adds after a delay that grows with each failure since the last `forget`. Returns the delay. */
  addFailed(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = Math.min(this.#maxDelayMs, this.#initialDelayMs * 2 ** failures);
    this.#observe?.retried();
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Failures of this key since the last `forget`. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Resets the back-off of a key after a success. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key; waits for one. Every key taken must be given back with `finish`. */
  async take(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const [next] = this.#ready.keys();
    if (next !== undefined) return this.#start(next);
    return await new Promise((resolve, reject) => {
      const waiter = (key: string): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(this.#start(key));
      };
      const onAbort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      this.#waiters.push(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Ends the work on a key. If it was added meanwhile, it is queued again. */
  finish(key: string): void {
    const sinceMs = this.#processing.get(key);
    if (sinceMs === undefined) return;
    this.#processing.delete(key);
    this.#observe?.finished(this.#clock.monotonicMs() - sinceMs);
    if (this.#dirty.has(key)) this.#enqueue(key);
  }

  /** Enqueues delayed keys when they are due, until the signal aborts. One caller only. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#admitDue();
      const next = this.#delayed.peek();
      const waitMs = next === undefined ? 2 ** 31 - 1 : next.dueMs - this.#clock.monotonicMs();
      using deadline = this.#clock.deadline(signal, Math.max(0, waitMs));
      await new Promise<void>((resolve) => {
        this.#wakeTimer = resolve;
        if (deadline.signal.aborted) resolve();
        else deadline.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wakeTimer = undefined;
    }
  }

  #admitDue(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#delayed.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#delayed.peek()) {
      this.#delayed.pop();
      // An earlier delay of the same key may have overtaken this one.
      if (this.#dueOf.get(next.key) !== next.dueMs) continue;
      this.#dueOf.delete(next.key);
      this.add(next.key);
    }
  }

  #enqueue(key: string): void {
    this.#ready.set(key, this.#clock.monotonicMs());
    this.#waiters.shift()?.(key);
  }

  #start(key: string): string {
    const nowMs = this.#clock.monotonicMs();
    const waitedMs = nowMs - (this.#ready.get(key) ?? nowMs);
    this.#ready.delete(key);
    this.#dirty.delete(key);
    this.#processing.set(key, nowMs);
    this.#observe?.taken(this.#ready.size, waitedMs);
    return key;
  }
}
