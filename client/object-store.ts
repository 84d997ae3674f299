import { type KubeObject, keyOf, keyText, type ObjectKey } from '#api/meta/object.ts';

/** Gives the values under which an object is found; an object may have none or several. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Indexes every store has. */
const byNamespace = 'namespace';
export const byOwner = 'owner';

const noObjects: readonly never[] = [];

/** Objects by key and by index. Holds what it is given, unchanged and shared. Indexes cost only what changes. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #functions: ReadonlyMap<string, IndexFunction<T>>;
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#functions = new Map<string, IndexFunction<T>>([
      [byNamespace, (object) => [object.metadata.namespace ?? '']],
      [byOwner, (object) => object.metadata.ownerReferences?.map((owner) => owner.uid) ?? noObjects],
      ...Object.entries(indexes),
    ]);
    for (const name of this.#functions.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  /** A copy: stays as it is when the store changes. */
  list(namespace?: string): readonly T[] {
    return namespace === undefined || namespace === '' ? [...this.#objects.values()] : this.byIndex(byNamespace, namespace);
  }

  /** A copy: stays as it is when the store changes. Throws for an index that does not exist. */
  byIndex(index: string, value: string): readonly T[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new Error(`no index ${JSON.stringify(index)}`);
    const found = values.get(value);
    return found === undefined ? noObjects : [...found.values()];
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** What was there before. */
  put(object: T): T | undefined {
    const key = keyText(keyOf(object));
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [name, valuesOf] of this.#functions) {
      const before = previous === undefined ? noObjects : valuesOf(previous);
      const now = valuesOf(object);
      for (const value of before) if (!now.includes(value)) this.#unlink(name, value, key);
      for (const value of now) this.#link(name, value, key, object);
    }
    return previous;
  }

  /** What was removed. */
  remove(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const [name, valuesOf] of this.#functions) for (const value of valuesOf(previous)) this.#unlink(name, value, key);
    return previous;
  }

  #link(index: string, value: string, key: string, object: T): void {
    const values = this.#indexes.get(index);
    const group = values?.get(value);
    if (group === undefined) values?.set(value, new Map([[key, object]]));
    else group.set(key, object);
  }

  #unlink(index: string, value: string, key: string): void {
    const values = this.#indexes.get(index);
    const group = values?.get(value);
    group?.delete(key);
    if (group?.size === 0) values?.delete(value);
  }
}
