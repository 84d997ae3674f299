// The engine of several API servers. Keys and values lie in etcd as they do in the embedded engine, below a prefix of the user's choice.
//
// Revisions: one for each write, where etcd has one for each commit (revisions.ts), plus an offset that lies in etcd too. A cluster that
// comes from elsewhere (an embedded store, a snapshot) counts from where the old one was at least, though its etcd begins anew. The offset
// never changes while servers run.
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
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
} from '../contract.ts';
import { changesAfter } from './change-stream.ts';
import { revisionsPerCommit } from './commit-place.ts';
import { compactHistory, CompactionTurn } from './compaction.ts';
import { EtcdConnection, type EtcdConnectionOptions } from './connection.ts';
import { Fence } from './fence.ts';
import { type GuardedWrite, writeGuarded } from './guarded-write.ts';
import { Leases } from './leases.ts';
import { decodeDatabaseSize, type KeyValue, methods, prefixEnd, type WatchEvent } from './messages.ts';
import { OwnWrites } from './own-writes.ts';
import { EtcdReads } from './reads.ts';
import { offsetKey, readOffset, writeOffset } from './revision-offset.ts';
import { Revisions } from './revisions.ts';
import { SharedCommits } from './shared-commits.ts';

/** Some 20 MB of pods that are large; values are 1.5 MiB at most. */
const pageLimit = 500;
const statusMs = 2_000;

export interface EtcdStoreOptions extends EtcdConnectionOptions {
  /** What keys start with: in etcd `etcd` stands for what is `store` here. Default: `/registry` for `/registry`. */
  readonly place?: KeyPlace;
}

export interface KeyPlace {
  readonly store: string;
  readonly etcd: string;
}

interface Parts {
  readonly connection: EtcdConnection;
  readonly reads: EtcdReads;
  readonly offset: number;
}

const upstreamPlace: KeyPlace = { store: '/registry', etcd: '/registry' };

export class EtcdStore implements Store {
  readonly isSoleWriter = false;
  readonly revisionsPerCommit = revisionsPerCommit;
  readonly #connection: EtcdConnection;
  readonly #fence: Fence;
  readonly #commits: SharedCommits;
  readonly #reads: EtcdReads;
  readonly #leases: Leases;
  readonly #own: OwnWrites;
  readonly #turn: CompactionTurn;
  readonly #place: KeyPlace;
  readonly #revisions: Revisions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();

  private constructor({ clock, log, place = upstreamPlace }: EtcdStoreOptions, { connection, reads, offset }: Parts) {
    this.#own = new OwnWrites(clock);
    this.#connection = connection;
    this.#fence = new Fence(connection);
    this.#commits = new SharedCommits({ connection, fence: this.#fence, clock });
    this.#reads = reads;
    this.#leases = new Leases({ connection, clock });
    this.#turn = new CompactionTurn(connection);
    this.#place = place;
    this.#revisions = new Revisions(offset);
    this.#clock = clock;
    this.#log = log;
  }

  /** Connects. Throws StoreError 'unavailable' when no majority of etcd answers within some seconds. */
  static async open(options: EtcdStoreOptions, signal: AbortSignal): Promise<EtcdStore> {
    const connection = await EtcdConnection.open(options);
    try {
      const reads = new EtcdReads({ connection, clock: options.clock });
      const place = options.place ?? upstreamPlace;
      const found = await readOffset(reads, place, signal);
      // A new etcd has a revision without an event, and so has one that was restored: whoever waits for a watch to reach it would wait
      // for the first write. This is one. An etcd that is full has had others.
      await writeOffset(connection, place, found, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        options.log.warn({ err: error }, 'etcd takes no writes');
      });
      return new EtcdStore(options, { connection, reads, offset: found.offset });
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      if (!(error instanceof StoreError)) throw error;
      throw new StoreError(error.code, `etcd at ${options.servers.join(', ')} cannot be used: ${error.message}`, { cause: error });
    }
  }

  async get(key: string, signal: AbortSignal): Promise<StoredValue | undefined> {
    this.#checkOpen();
    const { items } = await this.#reads.range({ key: this.#encode(key) }, signal);
    return this.#stored(items[0], key);
  }

  async list(prefix: string, { limit, after, revision: at }: ListOptions, signal: AbortSignal): Promise<ListResult> {
    this.#checkOpen();
    const end = prefixEnd(this.#encode(prefix));
    let from = this.#encode(after !== undefined && after > prefix ? `${after}\0` : prefix);
    const items: StoredValue[] = [];
    // All pages show the state of the first.
    let revision = at === undefined ? undefined : this.#revisions.commitOf(at);
    for (;;) {
      const wanted = Math.min(pageLimit, (limit ?? Number.POSITIVE_INFINITY) - items.length);
      const page = await this.#reads.range({ key: from, end, limit: wanted, revision }, signal);
      revision ??= page.revision;
      for (const kv of page.items) {
        const item = this.#stored(kv);
        if (item !== undefined) items.push(item);
      }
      const last = page.items.at(-1)?.key;
      if (!page.more || last === undefined || items.length === limit) {
        return { items, revision: this.#revisions.of(revision), more: page.more };
      }
      from = `${last}\0`;
    }
  }

  async put(
    key: string,
    value: Uint8Array,
    { expectedRevision, ttlSeconds, along = [] }: PutOptions,
    signal: AbortSignal,
  ): Promise<PutResult> {
    this.#checkOpen();
    if (value.length > valueLimitBytes) throw new StoreError('too-large', 'etcdserver: request is too large');
    const etcdKey = this.#encode(key);
    this.#own.expect(etcdKey, value);
    const others = along.map((put) => ({ key: this.#encode(put.key), value: put.value, expected: this.#relative(put.expectedRevision) }));
    for (const other of others) this.#own.expect(other.key, other.value);
    let isMade = false;
    try {
      const result = await this.#write({ key: etcdKey, expected: expectedRevision, value, ttlSeconds, along: others }, signal);
      isMade = result.ok;
      return result;
    } finally {
      // The events of what was made come, or have come.
      if (!isMade) for (const put of [{ key: etcdKey, value }, ...others]) this.#own.forget(put.key, put.value);
    }
  }

  async delete(key: string, expectedRevision: number, signal: AbortSignal): Promise<PutResult> {
    this.#checkOpen();
    if (expectedRevision === 0) return { ok: false, current: await this.get(key, signal) };
    return await this.#write({ key: this.#encode(key), expected: expectedRevision, value: undefined }, signal);
  }

  async currentRevision(signal: AbortSignal): Promise<number> {
    this.#checkOpen();
    return this.#revisions.of(await this.#reads.currentRevision(signal));
  }

  async *watch(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
    onProgress?: (revision: number) => void,
  ): AsyncGenerator<readonly StoreEvent[], void, undefined> {
    this.#checkOpen();
    const { offset } = this.#revisions;
    if (afterRevision < offset) {
      throw new StoreError('compacted', `required revision ${afterRevision + 1} is from before this etcd (${offset})`);
    }
    const until = AbortSignal.any([signal, this.#closing.signal]);
    const deps = {
      connection: this.#connection,
      check: (revision: number) => this.#checkSame(revision, until),
      clock: this.#clock,
      log: this.#log,
    };
    const isOfAll = `${this.#place.store}/`.startsWith(prefix);
    if (isOfAll) this.#own.watchBegins();
    for await (const { events, revision } of changesAfter(deps, this.#revisions.wholeCommitsUpTo(afterRevision), until)) {
      const wanted: StoreEvent[] = [];
      for (const event of events) {
        const { key: etcdKey, modRevision, behind } = event.kv;
        const key = this.#decode(etcdKey);
        // The watch begins with whole commits.
        if (key?.startsWith(prefix) !== true || this.#revisions.of(modRevision, behind) <= afterRevision) continue;
        wanted.push(this.#event(key, event));
      }
      if (isOfAll) this.#own.reach(revision);
      if (wanted.length > 0) yield wanted;
      onProgress?.(this.#revisions.of(revision));
    }
  }

  /** That of the member in use. */
  async sizeBytes(signal: AbortSignal): Promise<number> {
    this.#checkOpen();
    return decodeDatabaseSize(await this.#connection.call(methods.status, Buffer.alloc(0), { timeoutMs: statusMs, signal }));
  }

  async compact(revision: number, signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    await compactHistory(this.#connection, this.#revisions.wholeCommitsUpTo(revision), signal);
  }

  /** Counts above `revision` from the next opening on; for a cluster that was elsewhere before. No server may be running. */
  async startAbove(revision: number, signal: AbortSignal): Promise<void> {
    const { modRevision } = await readOffset(this.#reads, this.#place, signal);
    await writeOffset(this.#connection, this.#place, { offset: Math.max(this.#revisions.offset, revision), modRevision }, signal);
  }

  async claimCompaction(revision: number, signal: AbortSignal): Promise<boolean> {
    this.#checkOpen();
    return await this.#turn.claim(this.#revisions.wholeCommitsUpTo(revision), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new StoreError('closed', 'the store is closed'));
    await this.#connection[Symbol.asyncDispose]();
  }

  async #write(write: GuardedWrite, signal: AbortSignal): Promise<PutResult> {
    const parts = { commits: this.#commits, reads: this.#reads, leases: this.#leases, own: this.#own };
    const deps = { ...parts, fence: this.#fence, clock: this.#clock };
    const outcome = await writeGuarded(deps, { ...write, expected: this.#relative(write.expected) }, signal);
    if (outcome.ok) return { ok: true, revision: this.#revisions.of(outcome.revision, outcome.behind) };
    return { ok: false, current: this.#stored(outcome.current), ...(outcome.isBlocked === true ? { isBlocked: true } : {}) };
  }

  #relative(expected: number): number {
    return expected === 0 ? 0 : this.#revisions.commitOf(expected);
  }

  /**
   * Before a watch goes on: the store must be the one that it began with. One that was put back to an earlier state under running
   * servers would tell them other changes under revisions they know.
   */
  async #checkSame(seen: number, signal: AbortSignal): Promise<void> {
    const { offset, revision } = await readOffset(this.#reads, this.#place, signal);
    if (offset === this.#revisions.offset && revision >= seen) return;
    throw new StoreError('closed', `etcd was put back to an earlier state (${offsetKey(this.#place)}): the API server must start anew`);
  }

  #event(key: string, { type, kv, previous }: WatchEvent): StoreEvent {
    const isPut = type === 'put';
    return {
      type,
      key,
      revision: this.#revisions.of(kv.modRevision, kv.behind),
      value: isPut ? this.#own.valueOf(kv) : undefined,
      createRevision: this.#created(isPut ? kv : previous),
      previous: this.#stored(previous, key),
    };
  }

  #stored(kv: KeyValue | undefined, key: string | undefined = kv && this.#decode(kv.key)): StoredValue | undefined {
    if (kv === undefined || key === undefined) return undefined;
    return {
      key,
      value: kv.value,
      modRevision: this.#revisions.of(kv.modRevision, kv.behind),
      createRevision: this.#created(kv),
    };
  }

  /** Where in its commit a key was made is known until it is written again. */
  #created(kv: KeyValue | undefined): number {
    if (kv === undefined) return this.#revisions.of(0);
    return this.#revisions.of(kv.createRevision, kv.createRevision === kv.modRevision ? kv.behind : 0);
  }

  #encode(key: string): string {
    return this.#place.etcd + key.slice(this.#place.store.length);
  }

  /** Undefined for keys of others. */
  #decode(key: string): string | undefined {
    return key.startsWith(this.#place.etcd) ? this.#place.store + key.slice(this.#place.etcd.length) : undefined;
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError('closed', 'the store is closed');
  }
}
