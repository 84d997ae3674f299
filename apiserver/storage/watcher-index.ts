import type { CacheEvent } from './cache-event.ts';
import type { CachedObject } from './cached-object.ts';
import type { Watcher } from './watcher.ts';

/**
 * Watchers of one resource in one form, each under the narrowest thing it selects: a name, the value of a field, a namespace, or
 * everything. An event only meets watchers that could want it.
 */
export class WatcherIndex {
  readonly #everything = new Set<Watcher>();
  readonly #byKey = new Map<string, Set<Watcher>>();
  /** Position of the field in the form, then its value. */
  readonly #byField = new Map<number, Map<string, Set<Watcher>>>();
  readonly #byNamespace = new Map<string, Set<Watcher>>();
  readonly #homes = new Map<Watcher, () => void>();

  get size(): number {
    return this.#homes.size;
  }

  add(watcher: Watcher): void {
    const { name, namespace, field, form } = watcher.selector;
    const isCluster = form.kind.scope === 'cluster';
    if (name !== undefined && (isCluster || namespace !== '')) {
      this.#place(watcher, this.#byKey, isCluster ? name : `${namespace}/${name}`);
    } else if (field !== undefined) {
      const values = this.#byField.get(field.at) ?? new Map<string, Set<Watcher>>();
      this.#byField.set(field.at, values);
      this.#place(watcher, values, field.value, () => values.size === 0 && this.#byField.delete(field.at));
    } else if (namespace !== '') {
      this.#place(watcher, this.#byNamespace, namespace);
    } else {
      this.#everything.add(watcher);
      this.#homes.set(watcher, () => this.#everything.delete(watcher));
    }
  }

  remove(watcher: Watcher): void {
    this.#homes.get(watcher)?.();
    this.#homes.delete(watcher);
  }

  /** Offers an event, in the index' form, to those who may want it. */
  offer(event: CacheEvent): void {
    const object = event.current ?? event.previous;
    if (object === undefined) return;
    for (const watcher of this.#everything) watcher.offer(event);
    if (this.#byKey.size > 0) for (const watcher of this.#byKey.get(object.key) ?? []) watcher.offer(event);
    if (this.#byNamespace.size > 0) for (const watcher of this.#byNamespace.get(object.namespace) ?? []) watcher.offer(event);
    for (const [at, values] of this.#byField) {
      const is = valueAt(event.current, at);
      const was = valueAt(event.previous, at);
      if (is !== undefined) for (const watcher of values.get(is) ?? []) watcher.offer(event);
      if (was !== undefined && was !== is) for (const watcher of values.get(was) ?? []) watcher.offer(event);
    }
  }

  all(): Iterable<Watcher> {
    return this.#homes.keys();
  }

  #place(watcher: Watcher, homes: Map<string, Set<Watcher>>, key: string, onEmpty?: () => void): void {
    const home = homes.get(key) ?? new Set();
    homes.set(key, home.add(watcher));
    this.#homes.set(watcher, () => {
      home.delete(watcher);
      if (home.size > 0) return;
      homes.delete(key);
      onEmpty?.();
    });
  }
}

function valueAt(object: CachedObject | undefined, at: number): string | undefined {
  return object?.fieldValues[at];
}
