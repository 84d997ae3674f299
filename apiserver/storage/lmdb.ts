// The embedded engine. Three tables in one LMDB file:
//   log      revision → change (key, value, revision of the one before): appended to by every write
//   keys     key → revision of its newest change
//   expiry   time, revision → key, for values with a TTL
// and `state`, which knows how far history was compacted.
//
// How it works: a write is judged at once, against what is pending (`#pending`) and else what is on disk, gets its revision and joins
// the open batch (group-commit.ts). When the batch is on disk, its events go to the watchers and its writers are told, in this order.
// Reads only see what is on disk. The file is closed and opened again once the caches have read it (`releaseMemory`): what LMDB has
// mapped counts as ours, and nobody reads it twice. Meanwhile everybody waits. Compaction takes the values that were replaced out of the log; the newest of each key stay.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';
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
import { BatchSpace } from './batch-space.ts';
import { EventFeed } from './event-feed.ts';
import { type ExpiredKey, sweepExpired } from './expiry-sweep.ts';
import { FolderLock } from './folder-lock.ts';
import { GroupCommit } from './group-commit.ts';
import { secureLength } from './lmdb-file.ts';
import {
  decodeKeyRecord,
  decodeLogRecord,
  decodeRevision,
  encodeExpiry,
  encodeKeyRecord,
  encodeLogRecord,
  encodeRevision,
  type KeyRecord,
  type LogRecord,
} from './lmdb-records.ts';
import { LoggedEvent } from './logged-event.ts';

const mapBytes = 2 ** 38;
/** Smaller files are not worth the pause. */
const worthReleasingBytes = 64 * 1_024 * 1_024;
const compactStep = 500;
const compactedKey = Buffer.from('compacted');

export interface LmdbStoreOptions {
  /** Made if it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

type Table = Database<Buffer, Buffer>;

interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly log: Table;
  readonly keys: Table;
  readonly expiry: Table;
  readonly state: Table;
}

interface OpenFile {
  readonly path: string;
  readonly root: RootDatabase<Buffer, Buffer>;
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

interface Change extends Omit<LogRecord, 'key'> {
  readonly expiresMs: number | undefined;
}

export class LmdbStore implements Store {
  readonly isSoleWriter = true;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #lock: FolderLock;
  #tables: Tables;
  readonly #feed: EventFeed;
  readonly #commit: GroupCommit;
  readonly #pending = new Map<string, Pending>();
  #batchEvents: StoreEvent[] = [];
  readonly #space = new BatchSpace();
  /** Newest revision given out, on disk or not. */
  #lastRevision: number;
  #compacted: number;
  readonly #closing = new AbortController();
  #reopening: Promise<void> | undefined;
  readonly #sweeping: Promise<void>;

  private constructor({ clock, log }: LmdbStoreOptions, { path, root, lock, isSuspect }: OpenFile) {
    this.#path = path;
    this.#clock = clock;
    this.#lock = lock;
    this.#tables = tablesOf(root);
    const compacted = this.#tables.state.getBinary(compactedKey);
    this.#compacted = compacted === undefined ? 0 : decodeRevision(compacted);
    this.#lastRevision = this.#compacted;
    for (const newest of this.#tables.log.getKeys({ reverse: true, limit: 1 })) {
      this.#lastRevision = Math.max(this.#lastRevision, decodeRevision(newest));
    }
    this.#feed = new EventFeed({ revision: this.#lastRevision, replay: (after, limit) => this.#replay(after, limit) });
    this.#commit = new GroupCommit({
      folder: dirname(path),
      transact: (apply) => this.#transact(apply),
      onCommit: () => this.#publish(),
      log,
    });
    if (isSuspect) this.#checkEverything();
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
    let root: RootDatabase<Buffer, Buffer> | undefined;
    try {
      const isSuspect = secureLength(path);
      root = openFile(path);
      return new LmdbStore(options, { path, root, lock, isSuspect });
    } catch (error) {
      await root?.close();
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
    return this.#reading(() => this.#read(key));
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
    return Promise.resolve(statSync(this.#path).size);
  }

  async compact(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#reopening !== undefined) await this.#reopening;
    this.#checkOpen();
    const target = Math.min(revision, this.#feed.revision);
    while (this.#compacted < target && !signal.aborted && !this.#closing.signal.aborted) {
      const { gone, reached } = this.#replacedAbove(this.#compacted, target);
      await this.#submit(() => {
        void this.#tables.state.put(compactedKey, encodeRevision(reached));
        for (const old of gone) void this.#tables.log.remove(encodeRevision(old));
      });
      this.#compacted = reached;
    }
  }

  /** Counts above `revision` from the next opening on; for a cluster that was elsewhere before. */
  async startAbove(revision: number): Promise<void> {
    await this.#submit(() => void this.#tables.state.put(compactedKey, encodeRevision(Math.max(revision, this.#compacted))));
  }

  async releaseMemory(_signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    if (statSync(this.#path).size < worthReleasingBytes) return;
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    await this.#reopening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new StoreError('closed', 'the store is closed'));
    await this.#sweeping;
    await this.#commit.idle();
    await this.#reopening?.catch(() => undefined);
    await this.#tables.root.close();
    this.#lock[Symbol.dispose]();
  }

  #list(prefix: string, { limit, after }: ListOptions): ListResult {
    const items: StoredValue[] = [];
    const start = Buffer.from(after !== undefined && after > prefix ? after : prefix);
    for (const { key: bytes, value } of this.#tables.keys.getRange({ start })) {
      const key = bytes.toString();
      if (!key.startsWith(prefix)) break;
      if (key === after) continue;
      if (items.length === limit) return { items, revision: this.#feed.revision, more: true };
      items.push(this.#valueAt(key, decodeKeyRecord(value)));
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
    await this.#tables.root.close();
    try {
      this.#tables = tablesOf(openFile(this.#path));
    } catch (error) {
      // Nobody may touch the closed file; the process starts over.
      this.#closing.abort(error);
      throw lmdbFailure(error, this.#path);
    }
  }

  /** Judges the guards and hands the writes over, or says what is there. */
  async #write(write: Write, expiresMs?: number, along: readonly Write[] = []): Promise<PutResult> {
    for (;;) {
      if (this.#reopening !== undefined) await this.#reopening;
      this.#checkOpen();
      const failed = [write, ...along].find((one) => !this.#isGuarded(one));
      if (failed === undefined) {
        // What is handed over in one go lies in one batch; whoever waits for the last of it hears of a failure.
        for (const one of along) this.#handOver(one, undefined).catch(() => undefined);
        return await this.#handOver(write, expiresMs);
      }
      const pending = this.#pending.get(failed.key);
      if (pending === undefined) return { ok: false, current: this.#read(write.key), ...(failed === write ? {} : { isBlocked: true }) };
      // What is pending may still be undone; nobody may hear of it before.
      await pending.outcome.catch(() => undefined);
    }
  }

  #isGuarded({ key, value, expectedRevision }: Write): boolean {
    const current = this.#newest(key);
    return (current?.modRevision ?? 0) === expectedRevision && (value !== undefined || current !== undefined);
  }

  #newest(key: string): KeyRecord | undefined {
    const pending = this.#pending.get(key);
    return pending === undefined ? this.#readKey(key) : pending.current;
  }

  #handOver({ key, value }: Write, expiresMs: number | undefined): Promise<PutResult> {
    const current = this.#newest(key);
    const revision = ++this.#lastRevision;
    const type = value === undefined ? 'delete' : 'put';
    const createRevision = current?.createRevision ?? (type === 'put' ? revision : 0);
    const previousRevision = current?.modRevision ?? 0;
    const change: Change = { type, value, createRevision, previousRevision, expiresMs };
    const { promise: outcome, resolve, reject } = Promise.withResolvers<PutResult>();
    const mine: Pending = {
      current: type === 'put' ? { modRevision: revision, createRevision } : undefined,
      outcome,
    };
    this.#pending.set(key, mine);
    const settle = (): void => {
      if (this.#pending.get(key) === mine) this.#pending.delete(key);
    };
    const event = new LoggedEvent({ type, key, revision, value, createRevision, previousRevision, read: (at) => this.#readLog(at) });
    this.#commit.add({
      apply: () => {
        this.#batchEvents.push(event);
        this.#apply(key, revision, change);
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

  #apply(key: string, revision: number, { expiresMs, ...record }: Change): void {
    const keyBytes = Buffer.from(key);
    void this.#tables.log.put(
      encodeRevision(revision),
      encodeLogRecord({ ...record, key }, (bytes) => this.#space.take(bytes)),
    );
    if (record.type === 'delete') void this.#tables.keys.remove(keyBytes);
    else void this.#tables.keys.put(keyBytes, encodeKeyRecord({ modRevision: revision, createRevision: record.createRevision }));
    if (expiresMs !== undefined) void this.#tables.expiry.put(encodeExpiry(expiresMs, revision), keyBytes);
  }

  /** Nothing else is under way, so the space of the batch before is free; after a failure nobody knows. */
  async #transact(apply: () => void): Promise<void> {
    this.#space.reset();
    try {
      await transactNow(this.#tables.root, apply);
    } catch (error) {
      this.#space.renew();
      throw error;
    }
  }

  /** Hands over operations that are no change of a key. */
  async #submit(apply: () => void): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#commit.add({ apply, committed: resolve, failed: reject }));
  }

  #publish(): void {
    const events = this.#batchEvents;
    this.#batchEvents = [];
    if (events.length > 0) this.#feed.append(events);
  }

  #readKey(key: string): KeyRecord | undefined {
    const bytes = this.#tables.keys.getBinaryFast(Buffer.from(key));
    return bytes === undefined ? undefined : decodeKeyRecord(bytes);
  }

  #read(key: string): StoredValue | undefined {
    const record = this.#readKey(key);
    return record === undefined ? undefined : this.#valueAt(key, record);
  }

  /** The value that `keys` points to; it must be there. */
  #valueAt(key: string, { modRevision }: KeyRecord): StoredValue {
    const found = this.#readLog(modRevision);
    if (found?.key === key) return found;
    throw new StoreError('corrupt', `the database ${this.#path} is damaged: the value of ${key} is missing`);
  }

  /** The value that a revision made; undefined when it was compacted or a deletion. */
  #readLog(revision: number): StoredValue | undefined {
    const bytes = this.#tables.log.getBinary(encodeRevision(revision));
    if (bytes === undefined) return undefined;
    const { key, value, createRevision } = decodeLogRecord(bytes, this.#path);
    return value === undefined ? undefined : { key, value, modRevision: revision, createRevision };
  }

  #replay(after: number, limit: number): readonly StoreEvent[] {
    if (after < this.#compacted) {
      throw new StoreError('compacted', `required revision ${after + 1} has been compacted (up to ${this.#compacted})`);
    }
    if (limit === 0) return [];
    const events: StoreEvent[] = [];
    for (const { key: bytes, value } of this.#tables.log.getRange({ start: encodeRevision(after + 1), limit })) {
      const revision = decodeRevision(bytes);
      // What is on disk but not yet published comes with its batch.
      if (revision > this.#feed.revision) break;
      events.push(new LoggedEvent({ ...decodeLogRecord(value, this.#path), revision, read: (at) => this.#readLog(at) }));
    }
    return events;
  }

  /** Entries of the log that nobody needs when history starts above the answered revision. */
  #replacedAbove(after: number, target: number): { gone: number[]; reached: number } {
    const gone: number[] = [];
    let seen = 0;
    for (const { key: bytes, value } of this.#tables.log.getRange({ start: encodeRevision(after + 1), limit: compactStep })) {
      const revision = decodeRevision(bytes);
      if (revision > target) return { gone, reached: target };
      const { type, previousRevision } = decodeLogRecord(value, this.#path);
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
    const due: ExpiredKey[] = [];
    const past: Buffer[] = [];
    for (const { key: bytes, value } of this.#tables.expiry.getRange({ end: encodeExpiry(nowMs + 1, 0), limit })) {
      const expired = { key: value.toString(), revision: decodeRevision(bytes, 8) };
      past.push(bytes);
      if (this.#readKey(expired.key)?.modRevision === expired.revision) due.push(expired);
    }
    if (past.length > 0) void this.#forgetExpiries(past);
    return due;
  }

  /** In the batch of the deletions; when it fails, they are found again. */
  async #forgetExpiries(past: readonly Buffer[]): Promise<void> {
    await this.#submit(() => {
      for (const bytes of past) void this.#tables.expiry.remove(bytes);
    }).catch(() => undefined);
  }

  /** Reads every value once. */
  #checkEverything(): void {
    for (const { key, value } of this.#tables.keys.getRange({})) this.#valueAt(key.toString(), decodeKeyRecord(value));
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError('closed', 'the store is closed');
  }
}

function openFile(path: string): RootDatabase<Buffer, Buffer> {
  const options: RootDatabaseOptionsWithPath & { txnStartThreshold: number } = {
    path,
    noSubdir: true,
    // A commit is on disk when it is acknowledged.
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: mapBytes,
    maxDbs: 8,
    // Batches are ours (group-commit.ts); lmdb's own leave a rejection unhandled when a flush fails.
    eventTurnBatching: false,
    txnStartThreshold: 1,
  };
  return open<Buffer, Buffer>(options);
}

/** One transaction that the write thread begins at once: lmdb itself would wait for the next turn unless something more comes. */
function transactNow(root: RootDatabase<Buffer, Buffer>, apply: () => void): Promise<boolean> {
  const done = root.batch(apply);
  root.batch(() => undefined).catch(() => undefined);
  return done;
}

function tablesOf(root: RootDatabase<Buffer, Buffer>): Tables {
  const table = (name: string): Table => root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  return { root, log: table('log'), keys: table('keys'), expiry: table('expiry'), state: table('state') };
}

function lmdbFailure(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/MDB_(INVALID|CORRUPTED|PAGE_NOTFOUND|VERSION_MISMATCH)|not an LMDB file/.test(text)) {
    return new StoreError('corrupt', `the database ${path} is damaged: ${text}`, { cause: error });
  }
  return new StoreError('unavailable', `the database ${path} cannot be used: ${text}`, { cause: error });
}
