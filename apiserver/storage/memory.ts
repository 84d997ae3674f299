// An engine that keeps everything in memory: for tests and for clusters that need not outlive their process.
// Writes commit at once; watchers and acknowledgements follow in later microtasks, as with every engine.
import type { Clock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import {
  type ListOptions,
  type ListResult,
  type PutOptions,
  type PutResult,
  type Store,
  StoreError,
  type StoreEvent,
  type StoredValue,
  valueLimitBytes,
} from './contract.ts';
import { EventFeed } from './event-feed.ts';
import { type ExpiredKey, sweepExpired } from './expiry-sweep.ts';
import { SortedMap } from './sorted-map.ts';

interface Expiry extends ExpiredKey {
  readonly atMs: number;
}

export class MemoryStore implements Store {
  readonly isSoleWriter: boolean;
  readonly #values = new SortedMap<string, StoredValue>();
  /** By time, then revision. */
  readonly #expiries = new SortedMap<[number, number], Expiry>();
  #log: StoreEvent[] = [];
  #compacted = 0;
  readonly #feed: EventFeed;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #sweeping: Promise<void>;

  /** `isSoleWriter` is false where several servers of one process share it, as they would an etcd. */
  constructor({ clock, isSoleWriter = true }: { readonly clock: Clock; readonly isSoleWriter?: boolean }) {
    this.isSoleWriter = isSoleWriter;
    this.#clock = clock;
    this.#feed = new EventFeed({ revision: 0, replay: (after, limit) => this.#replay(after, limit) });
    this.#sweeping = sweepExpired(
      {
        due: (nowMs, limit) => this.#due(nowMs, limit),
        remove: ({ key, revision }, signal) => this.delete(key, revision, signal),
        clock,
        log: silentLog,
      },
      this.#closing.signal,
    );
  }

  async get(key: string, _signal: AbortSignal): Promise<StoredValue | undefined> {
    this.#checkOpen();
    return this.#values.get(key);
  }

  async list(prefix: string, { limit, after }: ListOptions, _signal: AbortSignal): Promise<ListResult> {
    this.#checkOpen();
    const items: StoredValue[] = [];
    let more = false;
    for (const [key, value] of this.#values.entries(after !== undefined && after > prefix ? after : prefix)) {
      if (!key.startsWith(prefix)) break;
      if (key === after) continue;
      if (items.length === limit) {
        more = true;
        break;
      }
      items.push(value);
    }
    return { items, revision: this.#feed.revision, more };
  }

  async put(
    key: string,
    value: Uint8Array,
    { expectedRevision, ttlSeconds, along = [] }: PutOptions,
    _signal: AbortSignal,
  ): Promise<PutResult> {
    this.#checkOpen();
    if (value.length > valueLimitBytes) throw new StoreError('too-large', 'etcdserver: request is too large');
    const previous = this.#values.get(key);
    if ((previous?.modRevision ?? 0) !== expectedRevision) return { ok: false, current: previous };
    const isFree = along.every((put) => (this.#values.get(put.key)?.modRevision ?? 0) === put.expectedRevision);
    if (!isFree) return { ok: false, current: previous, isBlocked: true };
    const revision = this.#feed.revision + along.length + 1;
    const events = [...along, { key, value }].map((put, at) => this.#set(put.key, put.value, revision - along.length + at));
    if (ttlSeconds !== undefined) {
      const atMs = this.#clock.nowMs() + ttlSeconds * 1_000;
      this.#expiries.set([atMs, revision], { atMs, key, revision });
    }
    this.#commit(events);
    return { ok: true, revision };
  }

  async delete(key: string, expectedRevision: number, _signal: AbortSignal): Promise<PutResult> {
    this.#checkOpen();
    const previous = this.#values.get(key);
    if (previous === undefined || previous.modRevision !== expectedRevision) return { ok: false, current: previous };
    const revision = this.#feed.revision + 1;
    this.#values.delete(key);
    this.#commit([{ type: 'delete', key, revision, value: undefined, createRevision: previous.createRevision, previous }]);
    return { ok: true, revision };
  }

  async currentRevision(_signal: AbortSignal): Promise<number> {
    this.#checkOpen();
    return this.#feed.revision;
  }

  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<readonly StoreEvent[]> {
    this.#checkOpen();
    return this.#feed.watch(prefix, afterRevision, AbortSignal.any([signal, this.#closing.signal]));
  }

  async compact(revision: number, _signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    if (revision <= this.#compacted) return;
    this.#compacted = Math.min(revision, this.#feed.revision);
    this.#log = this.#log.filter((event) => event.revision > this.#compacted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new StoreError('closed', 'the store is closed'));
    await this.#sweeping;
  }

  #set(key: string, value: Uint8Array, revision: number): StoreEvent {
    const previous = this.#values.get(key);
    const createRevision = previous?.createRevision ?? revision;
    this.#values.set(key, { key, value, modRevision: revision, createRevision });
    return { type: 'put', key, revision, value, createRevision, previous };
  }

  #commit(events: readonly StoreEvent[]): void {
    this.#log.push(...events);
    this.#feed.append(events);
  }

  #replay(after: number, limit: number): readonly StoreEvent[] {
    if (after < this.#compacted) {
      throw new StoreError('compacted', `required revision ${after + 1} has been compacted (up to ${this.#compacted})`);
    }
    const start = this.#log.findIndex((event) => event.revision > after);
    return start < 0 ? [] : this.#log.slice(start, start + limit);
  }

  /** Also forgets entries that a later write has overtaken. */
  #due(nowMs: number, limit: number): readonly ExpiredKey[] {
    const due: Expiry[] = [];
    for (const [, expiry] of this.#expiries.entries()) {
      if (expiry.atMs > nowMs || due.length === limit) break;
      due.push(expiry);
    }
    for (const { atMs, revision } of due) this.#expiries.delete([atMs, revision]);
    return due.filter(({ key, revision }) => this.#values.get(key)?.modRevision === revision);
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError('closed', 'the store is closed');
  }
}
