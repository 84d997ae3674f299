// get, list and watch: everything is answered from the watch cache. What a resourceVersion in a request means is upstream's table
// (apiserver/pkg/storage, ValidateListOptions and the cacher's delegation rules).
import { badRequest, notFound } from '#api/meta/status.ts';
import { keyText } from '#api/meta/object.ts';
import { type Clock, DeadlineExceeded } from '#base/clock.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import type { Store } from '../storage/contract.ts';
import { objectSelector } from '../storage/object-selector.ts';
import type { ResourceCache, Snapshot } from '../storage/resource-cache.ts';
import type { WatchCache } from '../storage/watch-cache.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { ListAnswer, ListRequest, RequestContext } from './contract.ts';
import { expired, parseRevision, plainError, readable, storeFailure, tooLargeResourceVersion } from './failures.ts';
import { collect, countFrom, keyRange } from './list-page.ts';
import type { ServedKind } from './served-kinds.ts';
import { resourceOf } from './writer.ts';

/** How long a read waits for a revision that this server has not seen. */
const freshWaitMs = 3_000;
const tooOldList = 'The resourceVersion for the provided list is too old.';
const tooOldContinue =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to ' +
  'retrieve the remainder of the results. Continuing with the provided ' +
  'token results in an inconsistent list - objects that were created, ' +
  'modified, or deleted between the time the first chunk was returned ' +
  'and now may show up in the list.';

interface ReaderDeps {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly clock: Clock;
  /** Older revisions are expired. */
  readonly forgottenRevision: () => number;
}

/** A request's resourceVersion: its text, '' for the newest, and what it says. */
interface WantedRevision {
  readonly text: string;
  readonly wanted: number;
}

/** One state of a resource, and where in it a list starts. */
interface ListState {
  readonly snapshot: Snapshot;
  readonly revision: number;
  /** Relative to what the list covers; '' is its start. */
  readonly start: string;
  /** How many objects lie from there on, where that is known. */
  readonly left: number | undefined;
  /** False for a state of the past, of which upstream's cache has no indexes. */
  readonly isNewest: boolean;
}

export class Reader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /** The object as the cache has it, at least as new as the request wants. */
  async get(served: ServedKind, name: string, resourceVersion: string, context: RequestContext): Promise<CachedObject> {
    const wanted = parseRevision(resourceVersion);
    if (typeof wanted === 'string') throw plainError(wanted);
    const cache = this.#cacheOf(served);
    await this.#fresh(cache, { text: resourceVersion, wanted }, context.signal);
    const found = cache.get(keyText({ namespace: context.namespace, name }));
    if (found === undefined) throw notFound(resourceOf(served), name);
    return found.as(served.form);
  }

  /** The object as the cache has it now, whatever else is on its way. */
  peek(served: ServedKind, namespace: string, name: string): CachedObject | undefined {
    return this.#cacheOf(served).get(keyText({ namespace, name }))?.as(served.form);
  }

  /** All objects of a namespace as the cache has them now. */
  peekAll(served: ServedKind, namespace: string): readonly CachedObject[] {
    const { prefix, end } = keyRange(namespace);
    return this.#cacheOf(served)
      .range(prefix, end)
      .map((object) => object.as(served.form));
  }

  async list(served: ServedKind, request: ListRequest, context: RequestContext): Promise<ListAnswer> {
    const selector = objectSelector(served.form, { ...request, namespace: context.namespace });
    const cache = this.#cacheOf(served);
    const { snapshot, revision, start, left, isNewest } = await this.#state(served, request, context.signal);
    const range = keyRange(selector.namespace);
    if (request.skipsUnreadable !== true) cache.refuseUnreadable(range.prefix, range.end);
    // Answer with what the cache has, without waiting, as upstream does: its clients take pages of revision 0 for a server without a cache.
    const limit = request.resourceVersion === '0' && request.continue === '' ? undefined : request.limit;
    const { items, next, looked } = await collect(
      snapshot,
      { selector, range, start, limit, sees: isNewest ? selector.indexed : undefined },
      context.signal,
    );
    const { counts } = cache;
    counts.lists++;
    counts.fetched += looked;
    counts.returned += items.length;
    if (next === undefined)
      return { items, count: items.length, resourceVersion: String(revision), continue: '', remainingItemCount: undefined };
    cache.shelve(revision, snapshot, this.#deps.clock.monotonicMs());
    const covered = left ?? (start === '' && range.prefix === '' ? snapshot.size : undefined);
    const rest = (): number => (covered === undefined ? countFrom(snapshot, range, next) : covered - items.length);
    const remaining = selector.isEverything ? rest() : undefined;
    return {
      items,
      count: items.length,
      resourceVersion: String(revision),
      continue: encodeContinue({ revision, start: next.slice(range.prefix.length), left: remaining }),
      remainingItemCount: remaining,
    };
  }

  /** Resolves when the cache is as new as a request's resourceVersion wants: '' is the newest of all, '0' whatever is there. */
  async fresh(served: ServedKind, resourceVersion: string, signal: AbortSignal): Promise<void> {
    const wanted = parseRevision(resourceVersion);
    if (typeof wanted === 'string') throw plainError(wanted);
    await this.#fresh(this.#cacheOf(served), { text: resourceVersion, wanted }, signal);
  }

  /** The state that a list request wants to see. */
  async #state(served: ServedKind, request: ListRequest, signal: AbortSignal): Promise<ListState> {
    const { resourceVersion, resourceVersionMatch, limit } = request;
    if (request.continue !== '') return await this.#continued(served, request, signal);
    const wanted = parseRevision(resourceVersion);
    if (typeof wanted === 'string') throw badRequest(`invalid resource version: ${wanted}`);
    // A limit with a revision and no other word means exactly that revision; it always has.
    const isExact = resourceVersionMatch === 'Exact' || (resourceVersionMatch === '' && limit !== undefined && wanted > 0);
    await this.#fresh(this.#cacheOf(served), { text: resourceVersion, wanted }, signal);
    const cache = this.#cacheOf(served);
    const snapshot = isExact ? await this.#past(cache, wanted) : cache.snapshot();
    if (snapshot === undefined) throw expired(tooOldList);
    const revision = isExact ? wanted : this.#deps.cache.revision;
    return { snapshot, revision, start: '', left: undefined, isNewest: !isExact };
  }

  async #continued(served: ServedKind, request: ListRequest, signal: AbortSignal): Promise<ListState> {
    const { revision, start, left } = decodeContinue(request.continue);
    if (request.resourceVersion !== '' && request.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const cache = this.#cacheOf(served);
    if (revision < 0) {
      await this.#fresh(cache, { text: '', wanted: 0 }, signal);
      return { snapshot: cache.snapshot(), revision: this.#deps.cache.revision, start, left: undefined, isNewest: true };
    }
    await this.#fresh(cache, { text: String(revision), wanted: revision }, signal);
    const snapshot = await this.#past(cache, revision);
    if (snapshot === undefined) throw expired(tooOldContinue, encodeContinue({ revision: -1, start }));
    return { snapshot, revision, start, left, isNewest: false };
  }

  /** The state at a revision; undefined where that is forgotten. All servers expire alike, also what one of them still holds. */
  async #past(cache: ResourceCache, revision: number): Promise<Snapshot | undefined> {
    return revision < this.#deps.forgottenRevision() ? undefined : await cache.snapshotAt(revision);
  }

  async #fresh(resource: ResourceCache, { text, wanted }: WantedRevision, signal: AbortSignal): Promise<void> {
    const { cache, store, clock } = this.#deps;
    const { counts } = resource;
    if (text === '') {
      counts.consistentReads++;
      if (store.isSoleWriter) return;
    } else if (wanted <= cache.revision) {
      counts.waitSeconds.observe(0);
      return;
    }
    const startMs = clock.monotonicMs();
    try {
      if (text === '') await this.#caughtUp(signal);
      else await this.#reached({ text, wanted }, signal);
    } catch (error) {
      if (text === '') counts.consistentFailures++;
      throw error;
    } finally {
      counts.waitSeconds.observe((clock.monotonicMs() - startMs) / 1_000);
    }
  }

  /** Resolves when the cache has what the store has now. */
  async #caughtUp(signal: AbortSignal): Promise<void> {
    const { cache, store } = this.#deps;
    try {
      await cache.waitFor(await store.currentRevision(signal), signal);
    } catch (error) {
      throw storeFailure(error);
    }
  }

  async #reached({ text, wanted }: WantedRevision, signal: AbortSignal): Promise<void> {
    const { cache, clock } = this.#deps;
    using deadline = clock.deadline(signal, freshWaitMs);
    try {
      await cache.waitFor(wanted, deadline.signal);
    } catch (error) {
      if (error instanceof DeadlineExceeded) throw tooLargeResourceVersion(text, cache.revision);
      throw error;
    }
  }

  #cacheOf(served: ServedKind): ResourceCache {
    return readable(this.#deps.cache, served);
  }
}
