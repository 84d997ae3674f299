import type { V1OwnerReference } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject, keyOf, keyText, type ObjectKey } from '#api/meta/object.ts';
import type { AnyKind } from '#client/client.ts';
import type { ClusterCache } from '#client/cluster-cache.ts';

/** One object of one kind: what the collector works on. */
export interface GraphObject {
  readonly kind: KindDefinition;
  readonly object: KubeObject;
}

/** Objects of all kinds and who belongs to whom, as the caches see it: served by their owner indexes, nothing is kept here. */
export class ObjectGraph {
  readonly kinds: readonly KindDefinition[];
  readonly #cluster: ClusterCache;
  readonly #byName: ReadonlyMap<string, KindDefinition>;

  /** @param kinds the cache must hold each. */
  constructor(kinds: readonly KindDefinition[], cluster: ClusterCache) {
    this.kinds = kinds;
    this.#cluster = cluster;
    this.#byName = new Map(kinds.map((kind) => [kindText(kind), kind]));
  }

  get(kind: KindDefinition, key: ObjectKey): KubeObject | undefined {
    return this.#cluster.get<KubeObject>(asTyped(kind), key);
  }

  /** Everything that names this uid as an owner. */
  dependentsOf(uid: string): readonly GraphObject[] {
    return this.kinds.flatMap((kind) => this.#cluster.ownedBy<KubeObject>(asTyped(kind), uid).map((object) => ({ kind, object })));
  }

  /** The kind that a reference means; undefined for one that is not watched here. */
  kindOf({ apiVersion, kind }: V1OwnerReference): KindDefinition | undefined {
    return this.#byName.get(`${apiVersion}/${kind}`);
  }

  /** Where a reference in an object of `namespace` points to. */
  ownerKey(kind: KindDefinition, { name }: V1OwnerReference, namespace: string | undefined): ObjectKey {
    return kind.scope === 'namespaced' ? { namespace, name } : { name };
  }

  /** Names one object in a queue. */
  idOf(kind: KindDefinition, key: ObjectKey): string {
    return `${kindText(kind)} ${keyText(key)}`;
  }

  /** The object of an id; undefined when it is gone. */
  find(id: string): GraphObject | undefined {
    const [name = '', path = ''] = id.split(' ');
    const kind = this.#byName.get(name);
    const slash = path.indexOf('/');
    const key = slash < 0 ? { name: path } : { namespace: path.slice(0, slash), name: path.slice(slash + 1) };
    const object = kind === undefined ? undefined : this.get(kind, key);
    return kind === undefined || object === undefined ? undefined : { kind, object };
  }

  idOfObject({ kind, object }: GraphObject): string {
    return this.idOf(kind, keyOf(object));
  }
}

/** Definitions of many kinds in one list have lost their object type; here only metadata matters. */
export function asTyped(kind: KindDefinition): never {
  return kind as unknown as AnyKind as never;
}

function kindText(kind: KindDefinition): string {
  return `${apiVersionOf(kind)}/${kind.kind}`;
}
