// Deletes what lost its owners, and carries out foreground deletion and orphaning. How it works: every kind that can be deleted is cached
// (metadata only, where nothing else needs more). A key in the queue names one object of one kind. Whoever changes is looked at itself;
// when an object goes or begins to go, those that name it as owner are looked at too. The caches only say where to look: before
// anything is deleted for lack of an owner, the owner is asked for at the API server, and deletion is refused where the object changed.
import type { V1OwnerReference } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { type KubeObject, keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { ClusterCache } from '#client/cluster-cache.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { WorkQueue } from '#client/work-queue.ts';
import { asTyped, type GraphObject, ObjectGraph } from './object-graph.ts';
import { OwnerStates } from './owner-states.ts';
import {
  type DependentPlan,
  foregroundFinalizer,
  isHeldForDependents,
  orphanFinalizer,
  planDependent,
  planOwner,
  unblockedOwners,
} from './plan.ts';

interface GarbageCollectorDeps {
  /** Kinds to look after; the cache must hold each. */
  readonly kinds: readonly KindDefinition[];
  readonly cluster: ClusterCache;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
}

const workers = 20;

export class GarbageCollector implements Service {
  readonly name = 'garbage-collector-controller';
  readonly #deps: GarbageCollectorDeps;
  readonly #queue: WorkQueue;
  readonly #graph: ObjectGraph;
  readonly #owners: OwnerStates;

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({ clock: deps.clock });
    this.#graph = new ObjectGraph(deps.kinds, deps.cluster);
    this.#owners = new OwnerStates({ graph: this.#graph, client: deps.client, events: deps.events });
  }

  /** Needs synced caches. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const unsubscribe = this.#graph.kinds.map((kind) => this.#subscribe(kind));
    ready();
    try {
      await Promise.all([this.#queue.run(signal), ...Array.from({ length: workers }, () => this.#work(signal))]);
    } finally {
      for (const end of unsubscribe) end();
    }
  }

  #subscribe(kind: KindDefinition): () => void {
    return this.#deps.cluster.informer<KubeObject>(asTyped(kind)).subscribe((change) => {
      const { metadata } = change.object;
      const { uid = '', ownerReferences = [] } = metadata;
      if (change.type === 'removed') {
        this.#owners.noteAbsent(uid);
        this.#addDependents(uid);
        // An owner may be waiting for this one to go.
        this.#addOwners(metadata, ownerReferences);
        return;
      }
      const isHeld = isHeldForDependents(metadata);
      if (ownerReferences.length > 0 || isHeld) this.#queue.add(this.#graph.idOf(kind, keyOf(change.object)));
      if (isHeld) this.#addDependents(uid);
      if (change.type === 'updated') this.#addOwners(metadata, unblockedOwners(change.previous.metadata, metadata));
    });
  }

  #addOwners({ namespace }: KubeObject['metadata'], references: readonly V1OwnerReference[]): void {
    for (const reference of references) {
      const kind = this.#graph.kindOf(reference);
      if (kind !== undefined) this.#queue.add(this.#graph.idOf(kind, this.#graph.ownerKey(kind, reference, namespace)));
    }
  }

  #addDependents(uid: string): void {
    for (const dependent of this.#graph.dependentsOf(uid)) this.#queue.add(this.#graph.idOfObject(dependent));
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let id: string;
      try {
        id = await this.#queue.take(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      try {
        const found = this.#graph.find(id);
        if (found !== undefined) await this.#look(found, signal);
        this.#queue.forget(id);
      } catch (err) {
        if (isAbort(err, signal)) return;
        const delayMs = this.#queue.addFailed(id);
        this.#deps.log[delayMs > 1_000 ? 'warn' : 'debug']({ err, object: id }, 'garbage collection of an object failed');
      } finally {
        this.#queue.finish(id);
      }
    }
  }

  async #look(found: GraphObject, signal: AbortSignal): Promise<void> {
    const { metadata } = found.object;
    if (metadata.deletionTimestamp === undefined) {
      await this.#attendDependent(found, signal);
      return;
    }
    const dependents = this.#graph.dependentsOf(metadata.uid ?? '');
    const plan = planOwner(
      metadata,
      dependents.map(({ object }) => object.metadata),
    );
    if (plan.kind === 'wait') for (const dependent of dependents) this.#queue.add(this.#graph.idOfObject(dependent));
    if (plan.kind === 'release') await this.#dropFinalizer(found, foregroundFinalizer, signal);
    if (plan.kind !== 'orphan') return;
    await Promise.all(dependents.map((dependent) => this.#disown(dependent, [metadata.uid ?? ''], signal)));
    await this.#dropFinalizer(found, orphanFinalizer, signal);
  }

  /** Looks at an object from the side of its owners. */
  async #attendDependent(found: GraphObject, signal: AbortSignal): Promise<void> {
    const { uid = '', ownerReferences = [], finalizers = [] } = found.object.metadata;
    const owners = [];
    for (const reference of ownerReferences) owners.push({ reference, state: await this.#owners.stateOf(reference, found, signal) });
    const dependents = this.#graph.dependentsOf(uid).map(({ object }) => object.metadata);
    const plan = planDependent({ owners, finalizers, dependents });
    if (plan.kind === 'disown') await this.#disown(found, plan.uids, signal);
    if (plan.kind === 'delete') await this.#delete(found, plan, signal);
  }

  async #delete(found: GraphObject, plan: Extract<DependentPlan, { kind: 'delete' }>, signal: AbortSignal): Promise<void> {
    const { kind, object } = found;
    const { uid } = object.metadata;
    let { resourceVersion } = object.metadata;
    await unlessGone(async () => {
      const isBlocking = object.metadata.ownerReferences?.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true) === true;
      if (plan.unblock && isBlocking) {
        const ownerReferences = object.metadata.ownerReferences?.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
        ({ resourceVersion } = (await this.#patch(found, { ownerReferences }, signal)).metadata);
      }
      // The object may have found a new owner since: then its resourceVersion differs, and it is looked at anew.
      await this.#deps.client.delete(kind, keyOf(object), { uid, resourceVersion, propagation: plan.propagation }, signal);
      this.#deps.log.debug({ object: this.#graph.idOfObject(found), propagation: plan.propagation }, 'deleted what lost its owners');
    });
  }

  /** Takes references out by uid. */
  async #disown(found: GraphObject, uids: readonly string[], signal: AbortSignal): Promise<void> {
    const kept = (found.object.metadata.ownerReferences ?? []).filter((reference) => !uids.includes(reference.uid));
    await unlessGone(() => this.#patch(found, { ownerReferences: kept.length > 0 ? kept : null }, signal));
  }

  async #dropFinalizer(found: GraphObject, finalizer: string, signal: AbortSignal): Promise<void> {
    const finalizers = (found.object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    await unlessGone(() => this.#patch(found, { finalizers }, signal));
  }

  /** Guarded: refused when the object changed, and then it is looked at anew. */
  async #patch({ kind, object }: GraphObject, metadata: object, signal: AbortSignal): Promise<KubeObject> {
    const { uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ...metadata } };
    return await this.#deps.client.patch<KubeObject>(asTyped(kind), keyOf(object), body, { type: 'merge' }, signal);
  }
}

async function unlessGone(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
