import type { V1OwnerReference } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject, type ObjectKey } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { LruMap } from '#client/lru-map.ts';
import { asTyped, type GraphObject, type ObjectGraph } from './object-graph.ts';
import { type OwnerState, waitsForDependents } from './plan.ts';

interface OwnerStatesDeps {
  readonly graph: ObjectGraph;
  readonly client: Client;
  readonly events: EventRecorder;
}

const rememberedAbsent = 500;

/** Finds out how owners stand. A cache may show one; that there is none is asked of the API server, once. */
export class OwnerStates {
  readonly #deps: OwnerStatesDeps;
  /** By uid, which never comes back. */
  readonly #absent = new LruMap<true>(rememberedAbsent);

  constructor(deps: OwnerStatesDeps) {
    this.#deps = deps;
  }

  /** The object with this uid was seen to be deleted. */
  noteAbsent(uid: string): void {
    this.#absent.set(uid, true);
  }

  /** References are looked up where they can only mean: in the namespace of the object that has them. */
  async stateOf(reference: V1OwnerReference, dependent: GraphObject, signal: AbortSignal): Promise<OwnerState> {
    const { graph } = this.#deps;
    const ownerKind = graph.kindOf(reference);
    // Whether an object of an unknown kind is there cannot be known, so nothing is deleted for it.
    if (ownerKind === undefined) return 'solid';
    if (ownerKind.scope === 'namespaced' && dependent.kind.scope === 'cluster') {
      this.#complain(reference, dependent);
      return 'solid';
    }
    const key = graph.ownerKey(ownerKind, reference, dependent.object.metadata.namespace);
    const cached = graph.get(ownerKind, key);
    const owner = cached?.metadata.uid === reference.uid ? cached : await this.#fetch(ownerKind, key, reference.uid, signal);
    if (owner === undefined) return 'absent';
    return waitsForDependents(owner.metadata) ? 'waiting' : 'solid';
  }

  async #fetch(kind: KindDefinition, key: ObjectKey, uid: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    if (this.#absent.get(uid) === true) return undefined;
    try {
      const owner = await this.#deps.client.get<KubeObject>(asTyped(kind), key, signal);
      if (owner.metadata.uid === uid) return owner;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    this.#absent.set(uid, true);
    return undefined;
  }

  #complain({ apiVersion, kind, name, uid }: V1OwnerReference, { kind: dependentKind, object }: GraphObject): void {
    const about = { apiVersion: apiVersionOf(dependentKind), kind: dependentKind.kind, metadata: object.metadata };
    const owner = `[${apiVersion}/${kind}, namespace: , name: ${name}, uid: ${uid}]`;
    this.#deps.events.event(about, 'Warning', 'OwnerRefInvalidNamespace', `ownerRef ${owner} does not exist in namespace ""`);
  }
}
