// The current objects of one stored resource, its recent events, and who watches it. Everything here is synchronous: state changes
// only in `load` and `apply`, which the watch cache calls in revision order (`snapshotAt` alone waits, with copies in its hands).
import { ApiError } from '#api/meta/status.ts';
import { reasonOf } from '#base/write-file.ts';
import { WorkSlice } from '../work-slice.ts';
import { CacheEvent } from './cache-event.ts';
import { CachedObject } from './cached-object.ts';
import { StoreError, type StoredValue, type StoreEvent } from './contract.ts';
import type { DecodedObjects } from './decoded-objects.ts';
import { sealedPrefix } from './encryption/sealed-prefix.ts';
import { EventRing } from './event-ring.ts';
import { PastBytes } from './past-bytes.ts';
import { ResourceCounts } from './resource-counts.ts';
import type { ServedForm } from './served-form.ts';
import { compareKeys, SortedMap } from './sorted-map.ts';
import type { Watcher } from './watcher.ts';
import { WatcherIndex } from './watcher-index.ts';

const shelfMs = 300_000;
const shelfLimit = 64;
/** Events that are undone before others get their turn: some 5 ms. */
const undonePerTurn = 5_000;
const nothing: readonly CachedObject[] = Object.freeze([]);

/** Objects by key, in order; a snapshot that later changes do not touch. */
export type Snapshot = SortedMap<string, CachedObject>;

interface ResourceCacheOptions {
  /** The stored form. */
  readonly form: ServedForm;
  /** What the keys of this resource start with. */
  readonly prefix: string;
  readonly decoded: DecodedObjects;
  /** Called with every value that cannot be read. */
  readonly onUnreadable?: (key: string, error: unknown) => void;
}

/** A value that cannot be read at the moment, which keeps the resource from being served. */
interface Blocked {
  /** In the store. */
  readonly key: string;
  readonly trouble: StoreError;
}

export class ResourceCache {
  readonly counts = new ResourceCounts();
  readonly form: ServedForm;
  readonly prefix: string;
  readonly #decoded: DecodedObjects;
  #objects: Snapshot = noObjects();
  /** Why objects that the store has cannot be read, by their keys. */
  #unreadable = new Map<string, ApiError>();
  #loadingUnreadable = new Map<string, ApiError>();
  readonly #onUnreadable: (key: string, error: unknown) => void;
  /** What is being read from the store, until it takes the place of `#objects`. */
  #loading: Snapshot = noObjects();
  readonly #ring = new EventRing(0);
  readonly #past = new PastBytes();
  readonly #watchers = new Map<ServedForm, WatcherIndex>();
  /** Revision of the newest change. */
  #changedRevision = 0;
  #blocked: Blocked | undefined;
  #loadingBlocked: Blocked | undefined;
  /** States that paged lists still read, by revision. */
  readonly #shelf = new Map<number, { readonly snapshot: Snapshot; readonly untilMs: number }>();

  constructor({ form, prefix, decoded, onUnreadable = () => undefined }: ResourceCacheOptions) {
    this.form = form;
    this.prefix = prefix;
    this.#decoded = decoded;
    this.#onUnreadable = onUnreadable;
  }

  get size(): number {
    return this.#objects.size;
  }

  get watcherCount(): number {
    let count = 0;
    for (const index of this.#watchers.values()) count += index.size;
    return count;
  }

  /** Set while the cache does not know the objects: it has none then, and takes no changes until it is loaded anew. */
  get blocked(): Blocked | undefined {
    return this.#blocked;
  }

  /** Events above this revision are still available. */
  get floor(): number {
    return this.#ring.floor;
  }

  /** Throws ApiError where the store has an object that cannot be read. */
  get(key: string): CachedObject | undefined {
    const found = this.#objects.get(key);
    if (found === undefined && this.#unreadable.size > 0) this.refuseUnreadable(key, `${key}\0`);
    return found;
  }

  /** The object, if there is one that can be read. */
  find(key: string): CachedObject | undefined {
    return this.#objects.get(key);
  }

  /** Throws ApiError where one of the objects from key `start` up to (not including) `end` cannot be read: a list without it would be wrong. */
  refuseUnreadable(start: string, end: string | undefined): void {
    for (const [key, error] of this.#unreadable) if (key >= start && (end === undefined || key < end)) throw error;
  }

  /** The objects from key `start` on, up to (not including) `end`; undefined: to the last. */
  range(start: string, end: string | undefined): readonly CachedObject[] {
    if (this.#unreadable.size > 0) this.refuseUnreadable(start, end);
    if (this.#objects.size === 0) return nothing;
    const found: CachedObject[] = [];
    for (const [key, object] of this.#objects.entries(start)) {
      if (end !== undefined && key >= end) break;
      found.push(object);
    }
    return found;
  }

  snapshot(): Snapshot {
    return this.#objects.clone();
  }

  /** The objects at a revision; undefined when it is no longer held. */
  async snapshotAt(revision: number): Promise<Snapshot | undefined> {
    if (revision >= this.#changedRevision) return this.snapshot();
    const shelved = this.#shelf.get(revision)?.snapshot;
    if (shelved !== undefined) return shelved;
    const events = this.#ring.since(revision);
    if (events === undefined) return undefined;
    // Both are copies: what happens meanwhile does not touch them.
    const past = this.snapshot();
    const slice = new WorkSlice(undonePerTurn);
    for (let at = events.length - 1; at >= 0; at--) {
      const event = events[at];
      if (event !== undefined) undo(past, event);
      slice.spend(1);
      if (slice.isOver) await slice.rest();
    }
    return past;
  }

  /** Remembers a state for the pages of a list, for five minutes. */
  shelve(revision: number, snapshot: Snapshot, nowMs: number): void {
    if (this.#shelf.has(revision)) return;
    this.#shelf.set(revision, { snapshot, untilMs: nowMs + shelfMs });
    for (const oldest of this.#shelf.keys()) {
      if (this.#shelf.size <= shelfLimit) break;
      this.#shelf.delete(oldest);
    }
  }

  /** Begins to read the store's state; what was known before is served until `loaded`. */
  startLoad(): void {
    this.#loading = noObjects();
    this.#loadingBlocked = undefined;
    this.#loadingUnreadable = new Map();
  }

  /** Takes an object of the state that the store had. */
  load({ key, value, modRevision, createRevision, trouble }: StoredValue): void {
    if (trouble !== undefined) this.#loadingBlocked ??= { key, trouble };
    if (this.#loadingBlocked !== undefined) return;
    const object = this.#cached(key, value, modRevision, createRevision);
    if (object instanceof ApiError) this.#loadingUnreadable.set(this.#localKey(key), object);
    else this.#loading.set(this.#localKey(key), object);
  }

  /** Puts what was read in place of what was known and ends watches: the changes in between are unknown. Events above `floor` will come. */
  loaded(floor: number): void {
    this.counts.initializations++;
    this.#blocked = this.#loadingBlocked;
    this.#replaceBy(this.#blocked === undefined ? this.#loading : noObjects(), floor);
    this.#loading = noObjects();
    this.#unreadable = this.#loadingUnreadable;
  }

  #replaceBy(objects: Snapshot, floor: number): void {
    for (const index of this.#watchers.values()) for (const watcher of index.all()) watcher.end();
    this.#objects = objects;
    this.#unreadable = new Map();
    this.#shelf.clear();
    this.#ring.reset(floor);
    this.#changedRevision = 0;
    this.counts.bytes = 0;
    for (const object of this.#objects.values()) {
      this.#changedRevision = Math.max(this.#changedRevision, object.revision);
      this.counts.bytes += object.sizeBytes;
    }
  }

  /** Takes a change. Changes up to `loadedRevision` only serve watches from the past. */
  apply(event: StoreEvent, loadedRevision: number, nowMs: number): void {
    this.counts.received++;
    if (this.#blocked !== undefined) return;
    if (event.trouble !== undefined) return this.#block(event, event.trouble, loadedRevision);
    const key = this.#localKey(event.key);
    const known = this.#objects.get(key);
    const isKnown = event.revision <= loadedRevision || (known !== undefined && known.revision >= event.revision);
    const previous = isKnown ? this.#previous(event.previous) : known;
    const current = this.#current(event, isKnown ? known : undefined);
    if (current instanceof ApiError) return isKnown ? this.#ring.reset(event.revision) : this.#lose(key, current, event.revision);
    if (!isKnown && this.#unreadable.size > 0) this.#unreadable.delete(key);
    const change = new CacheEvent({ revision: event.revision, current, previous, atMs: nowMs });
    if (!isKnown) {
      if (current === undefined) this.#objects.delete(key);
      else this.#objects.set(key, current);
      this.counts.bytes += (current?.sizeBytes ?? 0) - (known?.sizeBytes ?? 0);
    }
    this.#changedRevision = Math.max(this.#changedRevision, event.revision);
    if (change.current === undefined && change.previous === undefined) return;
    this.#ring.push(change);
    for (const [form, index] of this.#watchers) if (index.size > 0) index.offer(change.as(form));
    this.counts.dispatched++;
    previous?.retire(this.#past);
  }

  /** An unreadable past event is skipped by clearing the event ring; an unreadable current object blocks the whole resource. */
  #block({ key, revision }: StoreEvent, trouble: StoreError, loadedRevision: number): void {
    if (revision <= loadedRevision) return this.#ring.reset(revision);
    this.#blocked = { key, trouble };
    this.#replaceBy(noObjects(), revision);
  }

  /** Events above a revision; undefined: too old. */
  since(revision: number): readonly CacheEvent[] | undefined {
    return this.#ring.since(revision);
  }

  addWatcher(watcher: Watcher): void {
    const { form } = watcher.selector;
    const index = this.#watchers.get(form) ?? new WatcherIndex();
    this.#watchers.set(form, index);
    index.add(watcher);
  }

  removeWatcher(watcher: Watcher): void {
    this.#watchers.get(watcher.selector.form)?.remove(watcher);
  }

  /** Housekeeping, every second: bookmarks, old events, old snapshots. */
  tick(nowMs: number, revision: number): void {
    for (const index of this.#watchers.values()) for (const watcher of index.all()) watcher.tick(nowMs, revision);
    this.#ring.trim(nowMs);
    for (const [shelved, { untilMs }] of this.#shelf) {
      if (untilMs > nowMs) break;
      this.#shelf.delete(shelved);
    }
  }

  /** An object can no longer be read. Its changes cannot be sent: watchers must list again, and get the error. */
  #lose(key: string, why: ApiError, revision: number): void {
    this.counts.bytes -= this.#objects.get(key)?.sizeBytes ?? 0;
    this.#objects.delete(key);
    this.#unreadable.set(key, why);
    this.#changedRevision = Math.max(this.#changedRevision, revision);
    this.#ring.reset(revision);
    this.#shelf.clear();
    for (const index of this.#watchers.values()) for (const watcher of index.all()) watcher.end();
  }

  #current(event: StoreEvent, known: CachedObject | undefined): CachedObject | ApiError | undefined {
    if (event.value === undefined) return undefined;
    if (known?.revision === event.revision) return known;
    return this.#cached(event.key, event.value, event.revision, event.createRevision);
  }

  #previous(value: StoredValue | undefined): CachedObject | undefined {
    const past = value && this.#cached(value.key, value.value, value.modRevision, value.createRevision);
    return past instanceof ApiError ? undefined : past;
  }

  /** The object, or why it cannot be read. Throws StoreError where all of its kind cannot: they are encrypted. */
  #cached(key: string, bytes: Uint8Array, revision: number, createRevision: number): CachedObject | ApiError {
    try {
      return new CachedObject({ form: this.form, key: this.#localKey(key), bytes, revision, createRevision, decoded: this.#decoded });
    } catch (cause) {
      if (bytes.length >= sealedPrefix.length && sealedPrefix.compare(bytes, 0, sealedPrefix.length) === 0)
        throw new StoreError('sealed', `unable to read key ${JSON.stringify(key)}: it is encrypted: give --encryption-provider-config`, {
          cause,
        });
      const why = whyUnreadable(this.form, bytes, cause);
      this.#onUnreadable(key, why);
      return new ApiError({ reason: '', code: 500, message: reasonOf(why), cause });
    }
  }

  #localKey(key: string): string {
    return key.slice(this.prefix.length);
  }
}

/** What stands in the way, in the words of whoever reads all forms. */
function whyUnreadable(form: ServedForm, bytes: Uint8Array, cause: unknown): unknown {
  try {
    form.restore?.(bytes);
    return cause;
  } catch (error) {
    return error;
  }
}

function noObjects(): Snapshot {
  return new SortedMap<string, CachedObject>(undefined, compareKeys);
}

function undo(objects: Snapshot, { current, previous }: CacheEvent): void {
  if (previous !== undefined) objects.set(previous.key, previous);
  else if (current !== undefined) objects.delete(current.key);
}
