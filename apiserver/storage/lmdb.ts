// The embedded engine; lmdb-tables.ts describes the layout of its file.
//
// How it works: a write is judged at once, against what is pending (`#pending`) and else what is on disk, gets its revision and joins
// the open batch (group-commit.ts). When the batch is on disk, its events go to the watchers and its writes are acknowledged, in this order.
// Reads only see what is on disk. The file is closed and opened again once the caches have read it (`releaseMemory`): what LMDB has
// mapped counts as ours, and is not read twice. Meanwhile all operations wait. Compaction takes the values that were replaced out of the
// log; the newest of each key stay.
import { dirname, join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { makeFolder } from '#base/make-folder.ts';
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
} from './contract.ts';
import { EventFeed } from './event-feed.ts';
import { type ExpiredKey, sweepExpired } from './expiry-sweep.ts';
import { FolderLock } from './folder-lock.ts';
import { GroupCommit } from './group-commit.ts';
import { secureLength } from './lmdb-file.ts';
import type { KeyRecord } from './lmdb-records.ts';
import { lmdbFailure, LmdbTables } from './lmdb-tables.ts';
import { LoggedEvent } from './logged-event.ts';

/** Smaller files are not worth the pause. */
const worthReleasingBytes = 64 * 1_024 * 1_024;
const compactStep = 500;

export interface LmdbStoreOptions {
  /** Made if it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface OpenFile {
  readonly tables: LmdbTables;
  readonly lock: FolderLock;
  /** The file ended too early: everything in it must be looked at. */
  readonly isSuspect: boolean;
}

/** What a key will be once its write is on disk; `undefined` revision: deleted. */
interface Pending {
  readonly current: KeyRecord | undefined;
  readonly outcome: Promise<PutResult>;
}

/** A value, or (undefined) that there is none any more. */
interface Write {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly expectedRevision: number;
}

export class LmdbStore implements Store {
  readonly isSoleWriter = true;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #lock: FolderLock;
  #tables: LmdbTables;
  readonly #feed: EventFeed;
  readonly #commit: GroupCommit;
  readonly #pending = new Map<string, Pending>();
  #batchEvents: StoreEvent[] = [];
  /** Newest revision given out, on disk or not. */
  #lastRevision: number;
  #compacted: number;
  readonly #closing = new AbortController();
  #reopening: Promise<void> | undefined;
  readonly #sweeping: Promise<void>;

  private constructor({ clock, log }: LmdbStoreOptions, { tables, lock, isSuspect }: OpenFile) {
    this.#path = tables.path;
    this.#clock = clock;
    this.#lock = lock;
    this.#tables = tables;
    this.#compacted = tables.compacted();
    this.#lastRevision = Math.max(this.#compacted, tables.newestRevision());
    this.#feed = new EventFeed({ revision: this.#lastRevision, replay: (after, limit) => this.#replay(after, limit) });
    this.#commit = new GroupCommit({
      folder: dirname(tables.path),
      transact: (apply) => this.#tables.transact(apply),
      onCommit: () => this.#publish(),
      log,
    });
    if (isSuspect) tables.checkEverything();
    this.#sweeping = sweepExpired(
      {
        due: (nowMs, limit) => this.#due(nowMs, limit),
        remove: ({ key, revision }, signal) => this.delete(key, revision, signal),
        clock,
        log,
      },
      this.#closing.signal,
    );
  }

  /** Opens the store in a folder. Throws StoreError: 'unavailable' when the folder is in use, 'corrupt' when the file is damaged. */
  static async open(options: LmdbStoreOptions): Promise<LmdbStore> {
    try {
      makeFolder(options.folder, 0o700);
    } catch (error) {
      throw new StoreError('unavailable', `the data folder ${options.folder} cannot be made`, { cause: error });
    }
    const path = join(options.folder, 'store.mdb');
    const lock = FolderLock.take(options.folder);
    let tables: LmdbTables | undefined;
    try {
      const isSuspect = secureLength(path);
      tables = LmdbTables.open(path);
      return new LmdbStore(options, { tables, lock, isSuspect });
    } catch (error) {
      await tables?.close();
      lock[Symbol.dispose]();
      throw lmdbFailure(error, path);
    }
  }

  get trouble(): string | undefined {
    return this.#commit.trouble;
  }

  async get(key: string, _signal: AbortSignal): Promise<StoredValue | undefined> {
    if (this.#reopening !== undefined) await this.#reopening;
    this.#checkOpen();
    return this.#reading(() => this.#tables.value(key));
  }

  async list(prefix: string, options: ListOptions, _signal: AbortSignal): Promise<ListResult> {
    if (this.#reopening !== undefined) await this.#reopening;
    this.#checkOpen();
    return this.#reading(() => this.#list(prefix, options));
  }

  async put(key: string, value: Uint8Array, options: PutOptions, _signal: AbortSignal): Promise<PutResult> {
    this.#checkOpen();
    if (value.length > valueLimitBytes) throw new StoreError('too-large', 'etcdserver: request is too large');
    const { expectedRevision, ttlSeconds, along } = options;
    const expiresMs = ttlSeconds === undefined ? undefined : this.#clock.nowMs() + ttlSeconds * 1_000;
    return await this.#write({ key, value, expectedRevision }, expiresMs, along);
  }

  async delete(key: string, expectedRevision: number, _signal: AbortSignal): Promise<PutResult> {
    this.#checkOpen();
    return await this.#write({ key, value: undefined, expectedRevision });
  }

  async currentRevision(_signal: AbortSignal): Promise<number> {
    this.#checkOpen();
    return this.#feed.revision;
  }

  async *watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<readonly StoreEvent[], void, undefined> {
    if (this.#reopening !== undefined) await this.#reopening;
    this.#checkOpen();
    yield* this.#feed.watch(prefix, afterRevision, AbortSignal.any([signal, this.#closing.signal]));
  }

  sizeBytes(): Promise<number> {
    return Promise.resolve(this.#tables.sizeBytes());
  }

  async compact(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#reopening !== undefined) await this.#reopening;
    this.#checkOpen();
    const target = Math.min(revision, this.#feed.revision);
    while (this.#compacted < target && !signal.aborted && !this.#closing.signal.aborted) {
      const { gone, reached } = this.#replacedAbove(this.#compacted, target);
      await this.#enqueue(() => {
        this.#tables.putCompacted(reached);
        for (const old of gone) this.#tables.forgetChange(old);
      });
      this.#compacted = reached;
    }
  }

  /** Counts above `revision` from the next opening on; for a cluster that was elsewhere before. */
  async startAbove(revision: number): Promise<void> {
    await this.#enqueue(() => this.#tables.putCompacted(Math.max(revision, this.#compacted)));
  }

  async releaseMemory(_signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    if (this.#tables.sizeBytes() < worthReleasingBytes) return;
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    await this.#reopening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new StoreError('closed', 'the store is closed'));
    await this.#sweeping;
    await this.#commit.idle();
    await this.#reopening?.catch(() => undefined);
    await this.#tables.close();
    this.#lock[Symbol.dispose]();
  }

  #list(prefix: string, { limit, after }: ListOptions): ListResult {
    const items: StoredValue[] = [];
    for (const item of this.#tables.values(prefix, after)) {
      if (items.length === limit) return { items, revision: this.#feed.revision, more: true };
      items.push(item);
    }
    return { items, revision: this.#feed.revision, more: false };
  }

  /** Says what LMDB's errors mean. */
  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw lmdbFailure(error, this.#path);
    }
  }

  async #reopen(): Promise<void> {
    await this.#commit.idle();
    await this.#tables.close();
    try {
      this.#tables = LmdbTables.open(this.#path);
    } catch (error) {
      // The closed file cannot be used again: the process must restart.
      this.#closing.abort(error);
      throw lmdbFailure(error, this.#path);
    }
  }

  /** Checks the preconditions and enqueues the writes for the next commit, or returns the conflicting value. */
  async #write(write: Write, expiresMs?: number, along: readonly Write[] = []): Promise<PutResult> {
    for (;;) {
      if (this.#reopening !== undefined) await this.#reopening;
      this.#checkOpen();
      const failed = [write, ...along].find((one) => !this.#isGuarded(one));
      if (failed === undefined) {
        // Changes enqueued in one tick are in one batch, so the outcome of the last is that of all.
        for (const one of along) this.#enqueueChange(one, undefined).catch(() => undefined);
        return await this.#enqueueChange(write, expiresMs);
      }
      const pending = this.#pending.get(failed.key);
      if (pending === undefined)
        return { ok: false, current: this.#tables.value(write.key), ...(failed === write ? {} : { isBlocked: true }) };
      // A pending write may still fail: its value must not be reported before.
      await pending.outcome.catch(() => undefined);
    }
  }

  #isGuarded({ key, value, expectedRevision }: Write): boolean {
    const current = this.#newest(key);
    return (current?.modRevision ?? 0) === expectedRevision && (value !== undefined || current !== undefined);
  }

  #newest(key: string): KeyRecord | undefined {
    const pending = this.#pending.get(key);
    return pending === undefined ? this.#tables.key(key) : pending.current;
  }

  #enqueueChange({ key, value }: Write, expiresMs: number | undefined): Promise<PutResult> {
    const current = this.#newest(key);
    const revision = ++this.#lastRevision;
    const type = value === undefined ? 'delete' : 'put';
    const createRevision = current?.createRevision ?? (type === 'put' ? revision : 0);
    const previousRevision = current?.modRevision ?? 0;
    const change = { type, key, revision, value, createRevision, previousRevision } as const;
    const { promise: outcome, resolve, reject } = Promise.withResolvers<PutResult>();
    const mine: Pending = {
      current: type === 'put' ? { modRevision: revision, createRevision } : undefined,
      outcome,
    };
    this.#pending.set(key, mine);
    const settle = (): void => {
      if (this.#pending.get(key) === mine) this.#pending.delete(key);
    };
    const event = new LoggedEvent({ ...change, read: (at) => this.#tables.valueOf(at) });
    this.#commit.add({
      apply: () => {
        this.#batchEvents.push(event);
        this.#tables.putChange(change, expiresMs);
      },
      committed: () => {
        settle();
        resolve({ ok: true, revision });
      },
      failed: (error) => {
        this.#batchEvents = [];
        settle();
        reject(error);
      },
    });
    return outcome;
  }

  /** Enqueues an operation that changes no key. */
  async #enqueue(apply: () => void): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#commit.add({ apply, committed: resolve, failed: reject }));
  }

  #publish(): void {
    const events = this.#batchEvents;
    this.#batchEvents = [];
    if (events.length > 0) this.#feed.append(events);
  }

  #replay(after: number, limit: number): readonly StoreEvent[] {
    if (after < this.#compacted) {
      throw new StoreError('compacted', `required revision ${after + 1} has been compacted (up to ${this.#compacted})`);
    }
    if (limit === 0) return [];
    const events: StoreEvent[] = [];
    for (const change of this.#tables.changes(after, limit)) {
      // What is on disk but not yet published comes with its batch.
      if (change.revision > this.#feed.revision) break;
      events.push(new LoggedEvent({ ...change, read: (at) => this.#tables.valueOf(at) }));
    }
    return events;
  }

  /** Log entries that are obsolete once history starts above the returned revision. */
  #replacedAbove(after: number, target: number): { gone: number[]; reached: number } {
    const gone: number[] = [];
    let seen = 0;
    for (const { revision, type, previousRevision } of this.#tables.changes(after, compactStep)) {
      if (revision > target) return { gone, reached: target };
      if (previousRevision > 0) gone.push(previousRevision);
      if (type === 'delete') gone.push(revision);
      after = revision;
      seen++;
    }
    return { gone, reached: seen < compactStep ? target : after };
  }

  /** Also forgets expiries that a later write has overtaken. */
  #due(nowMs: number, limit: number): readonly ExpiredKey[] {
    if (this.#reopening !== undefined) return [];
    const { due, entries } = this.#tables.expired(nowMs, limit);
    if (entries.length > 0) void this.#forgetExpiries(entries);
    return due;
  }

  /** In the batch of the deletions; when it fails, they are found again. */
  async #forgetExpiries(entries: readonly Buffer[]): Promise<void> {
    await this.#enqueue(() => this.#tables.forgetExpiries(entries)).catch(() => undefined);
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError('closed', 'the store is closed');
  }
}
