// What lies in the file of the embedded engine, and how it is read. Tables:
//   log      revision → change (key, value, revision of the one before): appended to by every write
//   keys     key → revision of its newest change
//   expiry   time, revision → key, for values with a TTL
//   state    how far history was compacted
// Reads are synchronous and see what is on disk. Writes are calls of `put…` and `forget…` within one `transact`.
import { statSync } from 'node:fs';
import { type Database, open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';
import { BatchSpace } from './batch-space.ts';
import { type StoredValue, StoreError } from './contract.ts';
import type { ExpiredKey } from './expiry-sweep.ts';
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

const mapBytes = 2 ** 38;
const compactedKey = Buffer.from('compacted');

type Table = Database<Buffer, Buffer>;

/** One entry of the log. */
interface LoggedChange extends LogRecord {
  readonly revision: number;
}

/** The open file. Whoever has closed it may not use it any more. */
export class LmdbTables {
  readonly path: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #log: Table;
  readonly #keys: Table;
  readonly #expiry: Table;
  readonly #state: Table;
  readonly #space = new BatchSpace();

  private constructor(path: string, root: RootDatabase<Buffer, Buffer>) {
    this.path = path;
    this.#root = root;
    const table = (name: string): Table => root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
    this.#log = table('log');
    this.#keys = table('keys');
    this.#expiry = table('expiry');
    this.#state = table('state');
  }

  /** Opens the file, or makes it. Throws LMDB's error; `lmdbFailure` translates it. */
  static open(path: string): LmdbTables {
    const root = openFile(path);
    try {
      return new LmdbTables(path, root);
    } catch (error) {
      root.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  sizeBytes(): number {
    return statSync(this.path).size;
  }

  /** Up to which revision history is gone. */
  compacted(): number {
    const bytes = this.#state.getBinary(compactedKey);
    return bytes === undefined ? 0 : decodeRevision(bytes);
  }

  /** 0 where there is none. */
  newestRevision(): number {
    for (const newest of this.#log.getKeys({ reverse: true, limit: 1 })) return decodeRevision(newest);
    return 0;
  }

  key(key: string): KeyRecord | undefined {
    const bytes = this.#keys.getBinaryFast(Buffer.from(key));
    return bytes === undefined ? undefined : decodeKeyRecord(bytes);
  }

  value(key: string): StoredValue | undefined {
    const record = this.key(key);
    return record === undefined ? undefined : this.#valueAt(key, record);
  }

  /** The value that a revision made; undefined when it was compacted or a deletion. */
  valueOf(revision: number): StoredValue | undefined {
    const bytes = this.#log.getBinary(encodeRevision(revision));
    if (bytes === undefined) return undefined;
    const { key, value, createRevision } = decodeLogRecord(bytes, this.path);
    return value === undefined ? undefined : { key, value, modRevision: revision, createRevision };
  }

  /** In the order of their keys, which begin with `prefix` and come behind `after`. */
  *values(prefix: string, after: string | undefined): Generator<StoredValue, void, undefined> {
    const start = Buffer.from(after !== undefined && after > prefix ? after : prefix);
    for (const { key: bytes, value } of this.#keys.getRange({ start })) {
      const key = bytes.toString();
      if (!key.startsWith(prefix)) break;
      if (key !== after) yield this.#valueAt(key, decodeKeyRecord(value));
    }
  }

  /** At most `limit` changes behind a revision. */
  *changes(after: number, limit: number): Generator<LoggedChange, void, undefined> {
    for (const { key: bytes, value } of this.#log.getRange({ start: encodeRevision(after + 1), limit })) {
      yield { ...decodeLogRecord(value, this.path), revision: decodeRevision(bytes) };
    }
  }

  /** What has ended by then, at most `limit`: what still is as it was, and all entries, for `forgetExpiries`. */
  expired(nowMs: number, limit: number): { readonly due: readonly ExpiredKey[]; readonly entries: readonly Buffer[] } {
    const due: ExpiredKey[] = [];
    const entries: Buffer[] = [];
    for (const { key: bytes, value } of this.#expiry.getRange({ end: encodeExpiry(nowMs + 1, 0), limit })) {
      const ended = { key: value.toString(), revision: decodeRevision(bytes, 8) };
      entries.push(bytes);
      if (this.key(ended.key)?.modRevision === ended.revision) due.push(ended);
    }
    return { due, entries };
  }

  /** Reads every value once. Throws StoreError 'corrupt' where one is missing. */
  checkEverything(): void {
    for (const { key, value } of this.#keys.getRange({})) this.#valueAt(key.toString(), decodeKeyRecord(value));
  }

  /**
   * Writes what `apply` puts and forgets, all of it or nothing. Calls must not overlap: the space of the batch before is free then; after
   * an unknown error.
   */
  async transact(apply: () => void): Promise<void> {
    this.#space.reset();
    try {
      await transactNow(this.#root, apply);
    } catch (error) {
      this.#space.renew();
      throw error;
    }
  }

  /** @param expiresMs when the value ends; undefined: never. */
  putChange(change: LoggedChange, expiresMs: number | undefined): void {
    const { revision, createRevision } = change;
    const key = Buffer.from(change.key);
    void this.#log.put(
      encodeRevision(revision),
      encodeLogRecord(change, (bytes) => this.#space.take(bytes)),
    );
    if (change.type === 'delete') void this.#keys.remove(key);
    else void this.#keys.put(key, encodeKeyRecord({ modRevision: revision, createRevision }));
    if (expiresMs !== undefined) void this.#expiry.put(encodeExpiry(expiresMs, revision), key);
  }

  putCompacted(revision: number): void {
    void this.#state.put(compactedKey, encodeRevision(revision));
  }

  forgetChange(revision: number): void {
    void this.#log.remove(encodeRevision(revision));
  }

  forgetExpiries(entries: readonly Buffer[]): void {
    for (const bytes of entries) void this.#expiry.remove(bytes);
  }

  /** The value that `keys` points to; it must be there. */
  #valueAt(key: string, { modRevision }: KeyRecord): StoredValue {
    const found = this.valueOf(modRevision);
    if (found?.key === key) return found;
    throw new StoreError('corrupt', `the database ${this.path} is damaged: the value of ${key} is missing`);
  }
}

/** Says what LMDB's errors mean. */
export function lmdbFailure(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/MDB_(INVALID|CORRUPTED|PAGE_NOTFOUND|VERSION_MISMATCH)|not an LMDB file/.test(text)) {
    return new StoreError('corrupt', `the database ${path} is damaged: ${text}`, { cause: error });
  }
  return new StoreError('unavailable', `the database ${path} cannot be used: ${text}`, { cause: error });
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
