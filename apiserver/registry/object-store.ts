// Reads and guarded writes of single objects: between the registry's steps, which know objects, and the store, which knows bytes.
import type { KubeObject } from '#api/meta/object.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import type { Clock } from '#base/clock.ts';
import { CachedObject } from '../storage/cached-object.ts';
import { type PutResult, type Store, valueLimitBytes } from '../storage/contract.ts';
import { encodeStored } from '../storage/served-form.ts';
import type { RequestCounts } from '../storage/resource-counts.ts';
import type { WatchCache } from '../storage/watch-cache.ts';
import { readable, storeFailure } from './failures.ts';
import type { ServedKind } from './served-kinds.ts';

interface ObjectStoreDeps {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly clock: Clock;
  /** How long objects live whose kind gives them a time, 0 for ever; undefined: as long as the kind says. */
  readonly ttlSeconds?: number | undefined;
}

/** What a guarded write does: `bytes` replace what has `expectedRevision` (0: nothing). */
export interface ObjectWrite {
  readonly served: ServedKind;
  /** `namespace/name` or `name`. */
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly expectedRevision: number;
  /** Of the object that is replaced; undefined for a new one. */
  readonly createRevision: number | undefined;
  /** The object that `bytes` were made from; ownership passes to the caller. Undefined where it is not decoded. */
  readonly object: KubeObject | undefined;
  /** Others that are written in the same commit. */
  readonly along?: readonly Omit<ObjectWrite, 'createRevision' | 'along'>[];
}

export class ObjectStore {
  readonly #store: Store;
  readonly #cache: WatchCache;
  readonly #clock: Clock;
  readonly #ttlSeconds: number | undefined;

  constructor({ store, cache, clock, ttlSeconds }: ObjectStoreDeps) {
    this.#ttlSeconds = ttlSeconds;
    this.#store = store;
    this.#cache = cache;
    this.#clock = clock;
  }

  /** The newest object under a key, in its stored form. */
  get(served: ServedKind, key: string): CachedObject | undefined {
    return readable(this.#cache, served).get(key);
  }

  /** The same, but undefined also where it cannot be read. */
  find(served: ServedKind, key: string): CachedObject | undefined {
    return readable(this.#cache, served).find(key);
  }

  /** The stored form of an object: what to compare with and to write. Keeps nothing; may change `object`'s kind and apiVersion. */
  encode({ storedForm, toStored, ownership }: ServedKind, object: KubeObject): { bytes: Uint8Array; stored: KubeObject } {
    const stored = toStored === undefined ? object : toStored(cloneJson(object as never));
    return { bytes: encodeStored(storedForm, stored, ownership), stored };
  }

  /** Writes, and answers the object when every read here sees it. Undefined when the guard did not hold: the newest is cached then. */
  async put(
    { served, key, bytes, expectedRevision, createRevision, object, along: others }: ObjectWrite,
    signal: AbortSignal,
  ): Promise<CachedObject | undefined> {
    const { decoded } = this.#cache;
    if (object !== undefined) decoded.remember(bytes, object);
    const ttlSeconds = this.#ttlSecondsOf(served);
    const { create, update } = this.#cache.resource(served.prefix).counts.requests;
    const counts = expectedRevision === 0 ? create : update;
    for (const other of others ?? []) if (other.object !== undefined) decoded.remember(other.bytes, other.object);
    const along = others?.map((other) => ({
      key: other.served.prefix + other.key,
      value: other.bytes,
      expectedRevision: other.expectedRevision,
    }));
    const options = { expectedRevision, ttlSeconds, along };
    const result = await this.#attempt(counts, () => this.#store.put(served.prefix + key, bytes, options, signal));
    const behind = this.#catchUp(result, signal);
    if (behind !== undefined) await behind;
    if (!result.ok) return undefined;
    const { revision } = result;
    const current = this.#cache.resource(served.prefix).get(key);
    // It may have been written again already.
    const mine =
      current?.revision === revision
        ? current
        : new CachedObject({ form: served.storedForm, key, bytes, revision, createRevision: createRevision ?? revision, decoded });
    return mine.as(served.form);
  }

  #ttlSecondsOf({ storedForm }: ServedKind): number | undefined {
    const { ttlSeconds } = storedForm.kind;
    return ttlSeconds === undefined || this.#ttlSeconds === undefined ? ttlSeconds : this.#ttlSeconds || undefined;
  }

  /** Deletes, and answers the last content with the revision of the deletion. Undefined when the guard did not hold. */
  async remove(served: ServedKind, object: CachedObject, signal: AbortSignal): Promise<CachedObject | undefined> {
    const counts = this.#cache.resource(served.prefix).counts.requests.delete;
    const result = await this.#attempt(counts, () => this.#store.delete(served.prefix + object.key, object.revision, signal));
    await this.#catchUp(result, signal);
    return result.ok ? object.at(result.revision).as(served.form) : undefined;
  }

  /** Whether an update that changes nothing is to be written all the same. */
  isOutdated({ prefix }: ServedKind, key: string): boolean {
    return this.#store.isOutdated?.(prefix + key) === true;
  }

  /** Whether the store takes values of this size. */
  fits(bytes: Uint8Array): boolean {
    return bytes.length <= valueLimitBytes;
  }

  async #attempt(counts: RequestCounts, write: () => Promise<PutResult>): Promise<PutResult> {
    const startMs = this.#clock.monotonicMs();
    try {
      return await write();
    } catch (error) {
      counts.errors++;
      throw storeFailure(error);
    } finally {
      counts.seconds.observe((this.#clock.monotonicMs() - startMs) / 1_000);
    }
  }

  /** Waits until the cache has seen what the store answered, so that the next attempt starts from it; undefined where it has. */
  #catchUp(result: PutResult, signal: AbortSignal): Promise<void> | undefined {
    // Where something else was in the way, that is what the next attempt must know of.
    const revision = result.ok ? result.revision : result.isBlocked === true ? undefined : result.current?.modRevision;
    if (revision === undefined) return this.#store.currentRevision(signal).then((newest) => this.#cache.waitFor(newest, signal));
    return revision > this.#cache.revision ? this.#cache.waitFor(revision, signal) : undefined;
  }
}
