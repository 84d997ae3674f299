// What an engine must do; conformance.ts beside this file tests it, and every engine passes that suite.
// An engine keeps bytes under string keys with one revision counter over all of them. Revisions only grow, also across restarts.
// A write that was acknowledged survives kill -9 and power loss (memory engine excepted).

export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that made this value. */
  readonly modRevision: number;
  /** Revision of the write that made the key; once it was written again, that of another write of the same commit may stand for it. */
  readonly createRevision: number;
  /** Why nobody can read the value at the moment; it is empty then. Only of lists and watches: who gets one value hears of it. */
  readonly trouble?: StoreError;
}

/** Values above this are refused, as etcd does by default. */
export const valueLimitBytes = 1.5 * 1_024 * 1_024;

/** One committed change. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** The new value; for 'delete' undefined. */
  readonly value: Uint8Array | undefined;
  readonly createRevision: number;
  /** The value before, when there was one; may be read only when asked for, and is undefined once history before it is compacted. */
  readonly previous: StoredValue | undefined;
  /** As that of a value. */
  readonly trouble?: StoreError;
}

export type PutResult =
  | { readonly ok: true; readonly revision: number }
  /** The guard did not hold; `current` is what is there (undefined: nothing). */
  | {
      readonly ok: false;
      readonly current: StoredValue | undefined;
      /** The write's own guard held, but not that of something that was to be written along with it. */
      readonly isBlocked?: boolean;
    };

/** What is written together with something else. */
export interface AlongPut {
  readonly key: string;
  readonly value: Uint8Array;
  /** Its own guard, as that of a put. */
  readonly expectedRevision: number;
}

export interface PutOptions {
  /** Guard: the revision that must be the newest of this key; 0 means the key must not exist. */
  readonly expectedRevision: number;
  /** Removes the key after this long; the removal is an ordinary delete event. */
  readonly ttlSeconds?: number | undefined;
  /** Other keys, written in the same commit, or nothing is: every guard has to hold. Their revisions are not above the write's own. */
  readonly along?: readonly AlongPut[] | undefined;
}

export interface ListResult {
  readonly items: readonly StoredValue[];
  /** Revision that the whole list belongs to. */
  readonly revision: number;
  /** True when more keys lie behind the last item. */
  readonly more: boolean;
}

export interface ListOptions {
  /** At most so many items; undefined is all. */
  readonly limit?: number | undefined;
  /** Starts behind this key. */
  readonly after?: string | undefined;
  /** As it was at this revision, which the list then answers; only engines that are no sole writers take it, while history reaches back. */
  readonly revision?: number | undefined;
}

/** Failures of an engine, with what the answer to the client must be. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /**
   * compacted: the revision is gone; full: no space; corrupt: a check failed; closed: the engine is stopping; too-large: value over
   * 1.5 MiB; timeout: no answer in time, so what a write did is not known; sealed: no key opens the value.
   */
  readonly code: 'compacted' | 'full' | 'corrupt' | 'closed' | 'unavailable' | 'too-large' | 'timeout' | 'sealed';

  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Told when a value begins to be sealed or opened; called again at the end with what the sealed form starts with (`identity` and `unknown`
 * for values that were read as they lay, or that nobody could read), and whether it went well.
 */
export type TransformationObserver = (type: 'from_storage' | 'to_storage', resource: string) => (prefix: string, isOk: boolean) => void;

export interface Store extends AsyncDisposable {
  /**
   * True when nobody else writes to this store: a cache that has seen every write acknowledged here is then current without asking.
   */
  readonly isSoleWriter: boolean;
  /** How many revisions a commit takes up, where that is more than its writes: who goes back by a number of writes counts commits. */
  readonly revisionsPerCommit?: number;
  /** Why writes are not kept at the moment, as of the last one; reads go on. Engines that cannot tell have none. */
  readonly trouble?: string | undefined;
  /**
   * True where a value lies in another form than it would be written in today, so that the next update has to write it even where it
   * changes nothing. Known once the value was read; an engine without it has one form only.
   */
  isOutdated?(key: string): boolean;
  /** Newest value of a key. */
  get(key: string, signal: AbortSignal): Promise<StoredValue | undefined>;
  /** Newest values under a prefix, in key order (bytes). */
  list(prefix: string, options: ListOptions, signal: AbortSignal): Promise<ListResult>;
  /** Guarded write; resolves when durable. */
  put(key: string, value: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutResult>;
  /** Guarded delete; resolves when durable. */
  delete(key: string, expectedRevision: number, signal: AbortSignal): Promise<PutResult>;
  /** Newest revision. */
  currentRevision(signal: AbortSignal): Promise<number>;
  /**
   * Every change under `prefix` with a revision above `afterRevision`, in order, each exactly once, in batches as they commit.
   * Ends when the signal aborts. Rejects with StoreError 'compacted' where history no longer reaches back.
   * An engine where keys outside of `prefix` raise the revision too tells `onProgress` how far it has come, after the reader is done
   * with everything up to there.
   */
  watch(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
    onProgress?: (revision: number) => void,
  ): AsyncIterable<readonly StoreEvent[]>;
  /** Lets go of memory that reading took: called after the caches were filled, and now and then. Reads and writes wait for it. */
  releaseMemory?(signal: AbortSignal): Promise<void>;
  /** Bytes that the database takes on disk, for who measures; absent where there is none. */
  sizeBytes?(signal: AbortSignal): Promise<number>;
  /**
   * Where several servers share a store: true when it is this one's turn to compact up to `revision`. Asked by all of them at the
   * pace of compaction; an engine without it has one server.
   */
  claimCompaction?(revision: number, signal: AbortSignal): Promise<boolean>;
  /** Has whoever counts told of values that do not lie as they are read; engines without it have none. */
  observeTransformations?(observer: TransformationObserver): void;
  /** Forgets history up to and including `revision`; newest values stay. */
  compact(revision: number, signal: AbortSignal): Promise<void>;
}
