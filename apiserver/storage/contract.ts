// The contract of storage engines; every engine passes the suite in conformance.ts beside this file.
// An engine maps string keys to bytes under a single revision counter, which only grows, also across restarts.
// An acknowledged write survives kill -9 and power loss (the memory engine excepted).

export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that stored this value. */
  readonly modRevision: number;
  /** Revision of the write that created the key; after an update it may be that of another write in the same commit. */
  readonly createRevision: number;
  /** Set where the value cannot be read, for example decrypted, at the moment; `value` is empty then. In lists and watches only: `get` rejects. */
  readonly trouble?: StoreError;
}

/** Larger values are rejected, as etcd does by default. */
export const valueLimitBytes = 1.5 * 1_024 * 1_024;

/** One committed change. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** The new value; for 'delete' undefined. */
  readonly value: Uint8Array | undefined;
  readonly createRevision: number;
  /** The value before, if any; may be loaded on access, and is undefined once the history before it is compacted. */
  readonly previous: StoredValue | undefined;
  /** As in `StoredValue`. */
  readonly trouble?: StoreError;
}

export type PutResult =
  | { readonly ok: true; readonly revision: number }
  /** The precondition failed; `current` is the stored value, undefined if the key does not exist. */
  | {
      readonly ok: false;
      readonly current: StoredValue | undefined;
      /** The write's own precondition held, but not that of a key in `along`. */
      readonly isBlocked?: boolean;
    };

/** A further key of an atomic write. */
export interface AlongPut {
  readonly key: string;
  readonly value: Uint8Array;
  /** Its precondition, as in `PutOptions`. */
  readonly expectedRevision: number;
}

export interface PutOptions {
  /** Precondition: the key's modRevision; 0 means that the key must not exist. */
  readonly expectedRevision: number;
  /** Deletes the key after this time; watchers see an ordinary delete event. */
  readonly ttlSeconds?: number | undefined;
  /** Further keys, written atomically: every precondition must hold. Their revisions are at most the write's own. */
  readonly along?: readonly AlongPut[] | undefined;
}

export interface ListResult {
  readonly items: readonly StoredValue[];
  /** Revision of the snapshot that the items are from. */
  readonly revision: number;
  /** True when further keys follow the last item. */
  readonly more: boolean;
}

export interface ListOptions {
  /** Maximum number of items; undefined: all. */
  readonly limit?: number | undefined;
  /** Exclusive start key. */
  readonly after?: string | undefined;
  /** Reads the snapshot of this revision. For engines that are not the sole writer, and until that revision is compacted. */
  readonly revision?: number | undefined;
}

/** An expected failure of an engine; `code` decides the API's response. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /**
   * compacted: the revision is no longer available; full: no space; corrupt: a checksum failed; closed: the engine is stopping; unavailable:
   * the engine or its KMS plugin cannot be reached; too-large: the value exceeds `valueLimitBytes`; timeout: the outcome of a write is
   * unknown; sealed: no key decrypts the value.
   */
  readonly code: 'compacted' | 'full' | 'corrupt' | 'closed' | 'unavailable' | 'too-large' | 'timeout' | 'sealed';

  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Called when the encryption or decryption of a value begins; the returned function when it ends, with the prefix of the encrypted form
 * (`identity` for a value stored in clear, `unknown` for one that cannot be decrypted) and whether it succeeded.
 */
export type TransformationObserver = (type: 'from_storage' | 'to_storage', resource: string) => (prefix: string, isOk: boolean) => void;

export interface Store extends AsyncDisposable {
  /**
   * True when no other process writes to this store: a cache that has seen every write acknowledged here is then current without a read.
   */
  readonly isSoleWriter: boolean;
  /** Revisions that a commit consumes, where that exceeds the number of its writes: to go back by writes, count commits. */
  readonly revisionsPerCommit?: number;
  /** Why the last write failed, while writes fail and reads work; engines that cannot know leave it undefined. */
  readonly trouble?: string | undefined;
  /**
   * True where a value is stored in an outdated form, such as under a rotated key: the next update must write it even if it is a no-op.
   * Known once the value was read. Engines without it have one form only.
   */
  isOutdated?(key: string): boolean;
  /** The latest value of a key; undefined if it does not exist. */
  get(key: string, signal: AbortSignal): Promise<StoredValue | undefined>;
  /** The latest values under a prefix, in byte order of the keys. */
  list(prefix: string, options: ListOptions, signal: AbortSignal): Promise<ListResult>;
  /** Conditional write; resolves when durable. */
  put(key: string, value: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutResult>;
  /** Conditional delete; resolves when durable. */
  delete(key: string, expectedRevision: number, signal: AbortSignal): Promise<PutResult>;
  /** The latest revision. */
  currentRevision(signal: AbortSignal): Promise<number>;
  /**
   * Every change under `prefix` with a revision above `afterRevision`, in order, each exactly once, in batches as they commit.
   * Ends when the signal aborts. Rejects with StoreError 'compacted' where history no longer reaches back.
   * Where keys outside of `prefix` share the revision counter, the engine calls `onProgress` with a revision up to which the reader has
   * consumed all changes.
   */
  watch(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
    onProgress?: (revision: number) => void,
  ): AsyncIterable<readonly StoreEvent[]>;
  /** Returns memory that reads have taken, after caches were filled and periodically. Reads and writes wait for it. */
  releaseMemory?(signal: AbortSignal): Promise<void>;
  /** Size of the database on disk in bytes, for metrics; absent where there is none. */
  sizeBytes?(signal: AbortSignal): Promise<number>;
  /**
   * Where several servers share a store: true if this one is elected to compact up to `revision`. Every server calls it once per
   * compaction interval; an engine without it has a single server.
   */
  claimCompaction?(revision: number, signal: AbortSignal): Promise<boolean>;
  /** Registers the observer of encryption and decryption; engines without it store values in clear. */
  observeTransformations?(observer: TransformationObserver): void;
  /** Discards history up to and including `revision`; the latest values stay. */
  compact(revision: number, signal: AbortSignal): Promise<void>;
}
