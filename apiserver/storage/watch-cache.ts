// What the API server serves reads from. One stream of changes of the whole store feeds a cache for each resource.
//
// How it works: `run` lists the store, then follows it from a little before, so that watches of clients that were connected to an
// earlier process can go on. Revisions are the store's; `revision` is the newest that every cache has seen. Writers wait for their
// own revision (`waitFor`) before they answer, so with one API server every read sees every acknowledged write. A resource of which a value
// cannot be read, since its KMS plugin is unavailable, is blocked: the others are served, and once it can be read all are loaded anew.
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { Backoff } from '#base/backoff.ts';
import { type Store, StoreError, type StoredValue, type StoreEvent } from './contract.ts';
import { DecodedObjects } from './decoded-objects.ts';
import { ResourceCache } from './resource-cache.ts';
import { type FormerPlace, movedKey, rootPrefix } from './keys.ts';
import type { ServedForm } from './served-form.ts';

/** How many commits of the past are read back at the start. */
const refillCommits = 5_000;
const loadPage = 1_000;
const tickMs = 1_000;
/** Interval of attempts to read blocked resources. */
const lookAgainMs = 5_000;
/** Failures that the next attempt may not meet. */
const passing: ReadonlySet<StoreError['code']> = new Set(['unavailable', 'timeout', 'compacted']);

/** A resource to cache: what its keys start with (below the root, ending in a slash), and its stored form. */
export interface CachedResource {
  readonly prefix: string;
  readonly form: ServedForm;
}

interface WatchCacheOptions {
  readonly store: Store;
  readonly resources: readonly CachedResource[];
  /** Where objects may lie that an earlier version wrote: they are moved before anything is served. */
  readonly formerPlaces?: readonly FormerPlace[];
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

export class WatchCache implements Service {
  readonly name = 'watch-cache';
  /** Shared by everything that decodes objects of the store. */
  readonly decoded = new DecodedObjects();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #resources: ReadonlyMap<string, ResourceCache>;
  readonly #formerPlaces: readonly FormerPlace[];
  #revision = 0;
  #loadedRevision = 0;
  /** False once values of the past turned out to be sealed with keys that are gone. */
  #hasReadableHistory = true;
  #trouble: string | undefined;
  #waiters: Waiter[] = [];
  /** Ends the following of the store, which then is loaded anew. */
  #anew = new AbortController();

  constructor({ store, resources, formerPlaces = [], clock, log }: WatchCacheOptions) {
    this.#store = store;
    this.#formerPlaces = formerPlaces;
    this.#clock = clock;
    this.#log = log;
    const onUnreadable = (key: string, err: unknown): void =>
      log.error({ err, key }, 'an object of the store cannot be read: requests for it and lists of its kind fail until it is mended');
    this.#resources = new Map(
      resources.map(({ prefix, form }) => [prefix, new ResourceCache({ form, prefix, decoded: this.decoded, onUnreadable })] as const),
    );
  }

  /** Newest revision that all caches have seen. */
  get revision(): number {
    return this.#revision;
  }

  /** What keeps the caches from following the store, where it may not pass by itself; what they serve gets old. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The cache of a resource that the constructor was given. */
  resource(prefix: string): ResourceCache {
    const found = this.#resources.get(prefix);
    if (found === undefined) throw new Error(`no cache for ${prefix}`);
    return found;
  }

  /** Resolves when the caches have seen `revision`. */
  async waitFor(revision: number, signal: AbortSignal): Promise<void> {
    if (revision <= this.#revision) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((waiter) => waiter !== mine);
        reject(signal.reason);
      };
      const mine: Waiter = {
        revision,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(mine);
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const ticking = Promise.all([this.#tickUntil(signal), this.#lookAgainUntil(signal)]);
    const backoff = new Backoff({ initialMs: 50, maxMs: 5_000, jitter: 0.5 });
    let isReady = false;
    while (!signal.aborted) {
      try {
        const behind = await this.#load(signal);
        await this.#follow(behind, signal, () => {
          backoff.reset();
          this.#trouble = undefined;
          if (!isReady) ready();
          isReady = true;
        });
      } catch (error) {
        if (isAbort(error, signal)) break;
        // A store that cannot be read at the start ends the process with its reason; later it may come back.
        const passes = error instanceof StoreError && passing.has(error.code);
        if (!isReady && !passes) throw error;
        if (error instanceof StoreError && error.code === 'closed') throw error;
        if (!passes) this.#trouble = error instanceof Error ? error.message : String(error);
        this.#log.error({ err: error }, 'the watch cache lost its store and starts over');
        await this.#clock.sleep(backoff.next(), signal).catch(() => undefined);
      }
    }
    await ticking;
  }

  /** Reads everything; answers from which revision on changes have to be followed. */
  async #load(signal: AbortSignal): Promise<number> {
    const start = await this.#store.currentRevision(signal);
    const refill = refillCommits * (this.#store.revisionsPerCommit ?? 1);
    const floor = this.#hasReadableHistory ? await this.#oldestReadable(Math.max(0, start - refill), start, signal) : start;
    for (const cache of this.#resources.values()) cache.startLoad();
    let [after, moved]: [string | undefined, number] = [undefined, 0];
    do {
      const { items, more } = await this.#store.list(rootPrefix, { limit: loadPage, after }, signal);
      const strays = items.filter((item) => {
        const cache = this.#cacheOf(item.key);
        cache?.load(item);
        if (cache === undefined && item.trouble !== undefined) throw item.trouble;
        return cache === undefined;
      });
      // Together, so that they share commits.
      const moves = await Promise.all(strays.map((item) => this.#move(item, signal)));
      moved += moves.filter(Boolean).length;
      after = more ? items.at(-1)?.key : undefined;
    } while (after !== undefined);
    if (moved > 0) {
      this.#log.info({ objects: moved }, 'moved objects of an earlier version to where they lie today');
      return await this.#load(signal);
    }
    for (const cache of this.#resources.values()) {
      cache.loaded(floor);
      if (cache.blocked !== undefined) this.#log.error({ err: cache.blocked.trouble, resource: cache.prefix }, 'a resource cannot be read');
    }
    this.#loadedRevision = start;
    this.#revision = Math.max(this.#revision, start);
    return floor;
  }

  /** Moves an object that lies in a former place, and says whether it did. Whoever dies between the two steps repeats the second. */
  async #move({ key, value, modRevision }: StoredValue, signal: AbortSignal): Promise<boolean> {
    const wanted = movedKey(key, this.#formerPlaces);
    if (wanted === undefined) return false;
    await this.#store.put(wanted, value, { expectedRevision: 0 }, signal);
    await this.#store.delete(key, modRevision, signal);
    return true;
  }

  /** `wanted` if history reaches back so far, else `otherwise`. */
  async #oldestReadable(wanted: number, otherwise: number, signal: AbortSignal): Promise<number> {
    if (wanted === otherwise) return otherwise;
    const stop = new AbortController();
    try {
      const either = AbortSignal.any([signal, stop.signal]);
      for await (const _ of this.#store.watch(rootPrefix, wanted, either, () => stop.abort())) break;
      return wanted;
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'compacted' || error.code === 'sealed')) return otherwise;
      throw error;
    } finally {
      stop.abort();
    }
  }

  /** Returns only where it has to start anew: without the past, or with what could not be read before. */
  async #follow(behind: number, signal: AbortSignal, caughtUp: () => void): Promise<void> {
    let isFilled = behind >= this.#loadedRevision;
    if (isFilled) {
      await this.#store.releaseMemory?.(signal);
      this.#reach(this.#loadedRevision, caughtUp);
    }
    const onProgress = (revision: number): void => {
      isFilled ||= revision >= this.#loadedRevision;
      if (isFilled) this.#reach(revision, caughtUp);
    };
    this.#anew = new AbortController();
    const anew = this.#anew.signal;
    try {
      for await (const events of this.#store.watch(rootPrefix, behind, AbortSignal.any([signal, anew]), onProgress)) {
        const nowMs = this.#clock.monotonicMs();
        for (const event of events) this.#apply(event, nowMs);
        const last = events.at(-1)?.revision ?? 0;
        if (!isFilled && last >= this.#loadedRevision) await this.#store.releaseMemory?.(signal);
        onProgress(last);
      }
    } catch (error) {
      if (anew.aborted) return;
      if (isFilled || !(error instanceof StoreError && error.code === 'sealed')) throw error;
      this.#hasReadableHistory = false;
      return;
    }
    if (!signal.aborted && !anew.aborted) throw new StoreError('closed', 'the store ended the watch');
  }

  async #lookAgainUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(lookAgainMs, signal).catch(() => undefined);
      for (const { blocked } of this.#resources.values()) {
        if (blocked === undefined || !(await this.#isReadable(blocked.key, signal))) continue;
        this.#anew.abort(new Error('a blocked resource can be read again'));
        break;
      }
    }
  }

  async #isReadable(key: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#store.get(key, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#log.debug({ err: error }, 'a resource still cannot be read');
      return false;
    }
  }

  #apply(event: StoreEvent, nowMs: number): void {
    this.#cacheOf(event.key)?.apply(event, this.#loadedRevision, nowMs);
  }

  #reach(revision: number, caughtUp: () => void): void {
    if (revision > this.#revision) this.#revision = revision;
    caughtUp();
    if (this.#waiters.length === 0) return;
    const waiting: Waiter[] = [];
    for (const waiter of this.#waiters) {
      if (waiter.revision <= revision) waiter.resolve();
      else waiting.push(waiter);
    }
    this.#waiters = waiting;
  }

  /** `/registry/pods/…` or `/registry/services/specs/…`. */
  #cacheOf(key: string): ResourceCache | undefined {
    const second = key.indexOf('/', rootPrefix.length) + 1;
    return this.#resources.get(key.slice(0, second)) ?? this.#resources.get(key.slice(0, key.indexOf('/', second) + 1));
  }

  async #tickUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(tickMs, signal).catch(() => undefined);
      const nowMs = this.#clock.monotonicMs();
      for (const cache of this.#resources.values()) cache.tick(nowMs, this.#revision);
    }
  }
}
