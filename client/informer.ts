import { type KubeObject, keyOf, keyText, type ObjectKey } from '#api/meta/object.ts';
import type { Service } from '#base/lifecycle.ts';
import { type IndexFunction, ObjectStore } from './object-store.ts';
import { Reflector, type ReflectorDeps, type ReflectorSink, type Selection } from './reflector.ts';

/** What happened to one object in the cache. Objects are shared: never change them. */
export type Change<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly previous: T }
  /** `object` is the last state known, which may be older than the one that was deleted. */
  | { readonly type: 'removed'; readonly object: T };

/** Called in order, synchronously with the cache: the cache already shows the change. Must not throw. */
export type Subscriber<T> = (change: Change<T>) => void;

export interface InformerOptions<T extends KubeObject> extends Selection<T> {
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Reduces an object to what the cache keeps. It owns its argument and may change it. */
  readonly transform?: (object: T) => T;
}

/** A local cache of one selection of objects, kept current by a watch. Notifies subscribers of each change. */
export class Informer<T extends KubeObject> implements Service, ReflectorSink<T> {
  readonly name: string;
  readonly kind: Selection<T>['kind'];
  readonly #store: ObjectStore<T>;
  readonly #reflector: Reflector<T>;
  readonly #deps: ReflectorDeps;
  readonly #transform: ((object: T) => T) | undefined;
  readonly #subscribers = new Set<Subscriber<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(options: InformerOptions<T>, deps: ReflectorDeps) {
    this.kind = options.kind;
    this.name = `informer of ${options.kind.names.plural}`;
    this.#store = new ObjectStore(options.indexes);
    this.#transform = options.transform;
    this.#deps = deps;
    this.#reflector = new Reflector(options, this, deps);
  }

  /** Resolves when the first list is in. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** True once the first list is in. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get size(): number {
    return this.#store.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#store.get(key);
  }

  list(namespace?: string): readonly T[] {
    return this.#store.list(namespace);
  }

  /** `namespace`, `owner` (uid) or one of the options' indexes. */
  byIndex(index: string, value: string): readonly T[] {
    return this.#store.byIndex(index, value);
  }

  /** Calls `subscriber` with every cached object (as added), then with every change. Returns the function that unsubscribes. */
  subscribe(subscriber: Subscriber<T>): () => void {
    for (const object of this.#store.list()) this.#notify(subscriber, { type: 'added', object });
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    void this.#synced.promise.then(ready);
    await this.#reflector.run(signal);
  }

  /** For the reflector. */
  replace(objects: readonly T[]): void {
    const seen = new Set<string>();
    for (const object of objects) {
      seen.add(keyText(keyOf(object)));
      this.#put(object);
    }
    for (const key of this.#store.keys()) if (!seen.has(key)) this.#remove(key);
    if (this.#hasSynced) return;
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  /** For the reflector. */
  change(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    if (type === 'DELETED') this.#remove(keyText(keyOf(object)), object);
    else this.#put(object);
  }

  #put(raw: T): void {
    const known = this.#store.get(keyOf(raw));
    if (known !== undefined && known.metadata.resourceVersion === raw.metadata.resourceVersion && sameUid(known, raw)) return;
    // Deleted and recreated between two lists: a removal and an addition, not an update.
    if (known !== undefined && !sameUid(known, raw)) this.#remove(keyText(keyOf(raw)));
    const object = this.#transform === undefined ? raw : this.#transform(raw);
    const previous = this.#store.put(object);
    this.#notifyAll(previous === undefined ? { type: 'added', object } : { type: 'updated', object, previous });
  }

  #remove(key: string, last?: T): void {
    const previous = this.#store.remove(key);
    if (previous === undefined) return;
    const final = last === undefined || this.#transform === undefined ? last : this.#transform(last);
    this.#notifyAll({ type: 'removed', object: final ?? previous });
  }

  #notifyAll(change: Change<T>): void {
    for (const subscriber of this.#subscribers) this.#notify(subscriber, change);
  }

  #notify(subscriber: Subscriber<T>, change: Change<T>): void {
    try {
      subscriber(change);
    } catch (error) {
      // A failing subscriber must not keep the others from being notified.
      this.#deps.log.error({ err: error, kind: this.kind.kind, object: keyText(keyOf(change.object)) }, 'a cache subscriber failed');
    }
  }
}

function sameUid(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid;
}
