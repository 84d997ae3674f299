import type { Resource } from '#api/kind.ts';
import type { KubeObject, ObjectKey } from '#api/meta/object.ts';
import { type Service } from '#base/lifecycle.ts';
import type { AnyKind, TypedResource } from './client.ts';
import type { CacheReader } from './controller/define.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { byOwner } from './object-store.ts';
import type { ReflectorDeps } from './reflector.ts';

/** What to cache of a kind. Made by `cached`, which checks types. */
export type CachedKind = InformerOptions<KubeObject>;

/** Declares the cache of one kind, or of a selection of it. */
export function cached<T extends KubeObject>(kind: TypedResource<T>, options: Omit<InformerOptions<T>, 'kind'> = {}): CachedKind {
  return { ...options, kind } as unknown as CachedKind;
}

/** One informer per kind, shared by everything in a process. Ready when all have synced. */
export class ClusterCache implements Service, CacheReader {
  readonly name = 'cluster cache';
  readonly #informers = new Map<string, Informer<KubeObject>>();

  /** @param kinds each kind once; of repeated ones the first counts. */
  constructor(kinds: readonly (CachedKind | AnyKind)[], deps: ReflectorDeps) {
    for (const entry of kinds) {
      const options = 'names' in entry ? cached(entry) : entry;
      const id = kindId(options.kind);
      if (!this.#informers.has(id)) this.#informers.set(id, new Informer(options, deps));
    }
  }

  /** True once every kind's first list is in. */
  get hasSynced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.hasSynced);
  }

  /** Kinds that have not synced yet, for health answers. */
  get waitingFor(): readonly string[] {
    return [...this.#informers.values()].filter((informer) => !informer.hasSynced).map((informer) => informer.kind.names.plural);
  }

  /** Throws for a kind that this cache was not made with. */
  informer<T extends KubeObject>(kind: TypedResource<T>): Informer<T> {
    const found = this.#informers.get(kindId(kind));
    if (found === undefined) throw new Error(`${kind.names.plural} are not cached in this process`);
    return found as unknown as Informer<T>;
  }

  get<T extends KubeObject>(kind: TypedResource<T>, key: ObjectKey): T | undefined {
    return this.informer(kind).get(key);
  }

  list<T extends KubeObject>(kind: TypedResource<T>, namespace?: string): readonly T[] {
    return this.informer(kind).list(namespace);
  }

  ownedBy<T extends KubeObject>(kind: TypedResource<T>, ownerUid: string): readonly T[] {
    return this.informer(kind).byIndex(byOwner, ownerUid);
  }

  byIndex<T extends KubeObject>(kind: TypedResource<T>, index: string, value: string): readonly T[] {
    return this.informer(kind).byIndex(index, value);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const informers = [...this.#informers.values()];
    const synced = informers.map(() => Promise.withResolvers<void>());
    void Promise.all(synced.map(({ promise }) => promise)).then(ready);
    await Promise.all(informers.map((informer, at) => informer.run(signal, () => synced[at]?.resolve())));
  }
}

/** Names a kind within a process. */
export function kindId(kind: Resource): string {
  return `${kind.names.plural}.${kind.version}.${kind.group}`;
}
