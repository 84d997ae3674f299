// Deletes what lost its owners, and carries out foreground deletion and orphaning. How it works: every kind that can be deleted is cached
// (metadata only, where nothing else needs more). A key in the queue names one object of one kind. Whoever changes is looked at itself;
// when an object goes or begins to go, those that name it as owner are looked at too. The caches only say where to look: before
// anything is deleted for lack of an owner, the owner is asked for at the API server.
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject, keyOf, keyText } from '#api/meta/object.ts';
import type { V1OwnerReference } from '#api/generated/types.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type AnyKind, type Client } from '#client/client.ts';
import type { ClusterCache } from '#client/cluster-cache.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { LruMap } from '#client/lru-map.ts';
import { WorkQueue } from '#client/work-queue.ts';
import { foregroundFinalizer, orphanFinalizer, type OwnerState, planDependent } from './plan.ts';

export interface GarbageCollectorDeps {
  /** Kinds to look after; the cache must hold each. */
  readonly kinds: readonly KindDefinition[];
  readonly cluster: ClusterCache;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
}

const workers = 20;
const rememberedAbsent = 500;

export class GarbageCollector implements Service {
  readonly name = 'garbage-collector-controller';
  readonly #deps: GarbageCollectorDeps;
  readonly #queue: WorkQueue;
  readonly #kinds: ReadonlyMap<string, KindDefinition>;
  /** Uids that the API server said are gone: they never come back. */
  readonly #absent = new LruMap<true>(rememberedAbsent);

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({ clock: deps.clock });
    this.#kinds = new Map(deps.kinds.map((kind) => [kindKey(kind), kind]));
  }

  /** Needs synced caches. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const unsubscribe = this.#deps.kinds.map((kind) => this.#subscribe(kind));
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
      if (change.type === 'removed') {
        this.#absent.set(metadata.uid ?? '', true);
        this.#addDependents(metadata.uid ?? '');
        // The owner may be waiting for this one to go.
        for (const reference of metadata.ownerReferences ?? []) this.#addOwner(reference, metadata.namespace);
        return;
      }
      if ((metadata.ownerReferences ?? []).length > 0 || isHeldForDependents(change.object)) this.#add(kind, change.object);
      if (isHeldForDependents(change.object)) this.#addDependents(metadata.uid ?? '');
    });
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let key: string;
      try {
        key = await this.#queue.take(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      try {
        await this.#look(key, signal);
        this.#queue.forget(key);
      } catch (err) {
        if (isAbort(err, signal)) return;
        const delayMs = this.#queue.addFailed(key);
        this.#deps.log[delayMs > 1_000 ? 'warn' : 'debug']({ err, key }, 'garbage collection of an object failed');
      } finally {
        this.#queue.finish(key);
      }
    }
  }

  async #look(key: string, signal: AbortSignal): Promise<void> {
    const [kindText = '', objectKey = ''] = key.split(' ');
    const kind = this.#kinds.get(kindText);
    const object = kind === undefined ? undefined : this.#deps.cluster.get<KubeObject>(asTyped(kind), parseKey(objectKey));
    if (kind === undefined || object === undefined) return;
    const finalizers = object.metadata.finalizers ?? [];
    if (object.metadata.deletionTimestamp !== undefined) {
      if (finalizers.includes(orphanFinalizer)) await this.#orphanDependents(kind, object, signal);
      else if (finalizers.includes(foregroundFinalizer)) await this.#finishForeground(kind, object, signal);
      return;
    }
    await this.#attendDependent(kind, object, signal);
  }

  /** Looks at an object from the side of its owners. */
  async #attendDependent(kind: KindDefinition, object: KubeObject, signal: AbortSignal): Promise<void> {
    const { client, log } = this.#deps;
    const { metadata } = object;
    const owners = [];
    for (const reference of metadata.ownerReferences ?? [])
      owners.push({ reference, state: await this.#stateOf(reference, kind, object, signal) });
    const plan = planDependent({
      owners,
      finalizers: metadata.finalizers ?? [],
      hasDependents: this.#dependentsOf(metadata.uid ?? '').length > 0,
    });
    if (plan.kind === 'keep') return;
    try {
      if (plan.kind === 'disown') {
        await this.#disown(kind, object, plan.uids, signal);
      } else {
        // The object may have found a new owner since: then its resourceVersion differs, and it is looked at anew.
        const { uid, resourceVersion } = metadata;
        await client.delete(kind, keyOf(object), { uid, resourceVersion, propagation: plan.propagation }, signal);
        log.debug(
          { kind: kind.kind, object: keyText(keyOf(object)), propagation: plan.propagation },
          'deleted an object that lost its owners',
        );
      }
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }

  async #stateOf(reference: V1OwnerReference, kind: KindDefinition, object: KubeObject, signal: AbortSignal): Promise<OwnerState> {
    const ownerKind = this.#ownerKind(reference);
    if (ownerKind === undefined) return 'solid'; // A kind that nobody serves here: whether it is there cannot be known, so nothing is deleted.
    if (ownerKind.scope === 'namespaced' && kind.scope === 'cluster') {
      this.#deps.events.event(
        object,
        'Warning',
        'OwnerRefInvalidNamespace',
        `ownerRef ${describe(reference)} does not exist in namespace ""`,
      );
      return 'solid';
    }
    const key = { ...(ownerKind.scope === 'namespaced' ? { namespace: object.metadata.namespace } : {}), name: reference.name };
    const cached = this.#deps.cluster.get<KubeObject>(asTyped(ownerKind), key);
    let owner = cached?.metadata.uid === reference.uid ? cached : undefined;
    if (owner === undefined) {
      if (this.#absent.get(reference.uid) === true) return 'absent';
      owner = await this.#fetchOwner(ownerKind, key, reference.uid, signal);
      if (owner === undefined) return 'absent';
    }
    const isWaiting = owner.metadata.deletionTimestamp !== undefined && (owner.metadata.finalizers ?? []).includes(foregroundFinalizer);
    return isWaiting ? 'waiting' : 'solid';
  }

  async #fetchOwner(kind: KindDefinition, key: { name: string }, uid: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      const owner = await this.#deps.client.get<KubeObject>(asTyped(kind), key, signal);
      if (owner.metadata.uid === uid) return owner;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    this.#absent.set(uid, true);
    return undefined;
  }

  /** Takes references out by uid. */
  async #disown(kind: KindDefinition, object: KubeObject, uids: readonly string[], signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
    const kept = ownerReferences.filter((reference) => !uids.includes(reference.uid));
    const body = { metadata: { uid, resourceVersion, ownerReferences: kept.length > 0 ? kept : null } };
    await this.#deps.client.patch<KubeObject>(asTyped(kind), keyOf(object), body, { type: 'merge' }, signal);
  }

  async #orphanDependents(kind: KindDefinition, object: KubeObject, signal: AbortSignal): Promise<void> {
    const uid = object.metadata.uid ?? '';
    for (const dependent of this.#dependentsOf(uid)) {
      try {
        await this.#disown(dependent.kind, dependent.object, [uid], signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
    await this.#dropFinalizer(kind, object, orphanFinalizer, signal);
  }

  /** Lets an object go whose dependents that block it are gone; until then they are looked at, which deletes them. */
  async #finishForeground(kind: KindDefinition, object: KubeObject, signal: AbortSignal): Promise<void> {
    const uid = object.metadata.uid ?? '';
    const dependents = this.#dependentsOf(uid);
    const blocks = ({ object: dependent }: { object: KubeObject }): boolean =>
      (dependent.metadata.ownerReferences ?? []).some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true);
    if (dependents.some(blocks)) {
      for (const dependent of dependents) this.#add(dependent.kind, dependent.object);
      return;
    }
    await this.#dropFinalizer(kind, object, foregroundFinalizer, signal);
  }

  async #dropFinalizer(kind: KindDefinition, object: KubeObject, finalizer: string, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = object.metadata;
    const body = { metadata: { uid, resourceVersion, finalizers: finalizers.filter((name) => name !== finalizer) } };
    try {
      await this.#deps.client.patch<KubeObject>(asTyped(kind), keyOf(object), body, { type: 'merge' }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }

  #dependentsOf(uid: string): readonly { readonly kind: KindDefinition; readonly object: KubeObject }[] {
    return this.#deps.kinds.flatMap((kind) =>
      this.#deps.cluster.ownedBy<KubeObject>(asTyped(kind), uid).map((object) => ({ kind, object })),
    );
  }

  #addDependents(uid: string): void {
    for (const { kind, object } of this.#dependentsOf(uid)) this.#add(kind, object);
  }

  #addOwner(reference: V1OwnerReference, namespace: string | undefined): void {
    const kind = this.#ownerKind(reference);
    if (kind === undefined) return;
    this.#queue.add(
      `${kindKey(kind)} ${keyText({ namespace: kind.scope === 'namespaced' ? namespace : undefined, name: reference.name })}`,
    );
  }

  #ownerKind({ apiVersion, kind }: V1OwnerReference): KindDefinition | undefined {
    return this.#kinds.get(`${apiVersion}/${kind}`);
  }

  #add(kind: KindDefinition, object: KubeObject): void {
    this.#queue.add(`${kindKey(kind)} ${keyText(keyOf(object))}`);
  }
}

/** Only metadata: all that the collector needs of an object. Keeps the cache small. */
export function metadataOnly<T extends KubeObject>({ metadata }: T): T {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, ownerReferences } = metadata;
  const kept = { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, ownerReferences };
  return { metadata: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) } as unknown as T;
}

function isHeldForDependents({ metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (metadata.finalizers ?? []).some((name) => name === foregroundFinalizer || name === orphanFinalizer);
}

function kindKey(kind: KindDefinition): string {
  return `${apiVersionOf(kind)}/${kind.kind}`;
}

/** Definitions of many kinds in one list have lost their object type; here only metadata matters. */
function asTyped(kind: KindDefinition): never {
  return kind as unknown as AnyKind as never;
}

function parseKey(text: string): { namespace?: string; name: string } {
  const slash = text.indexOf('/');
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function describe({ apiVersion, kind, name, uid }: V1OwnerReference): string {
  return `[${apiVersion}/${kind}, name: ${name}, uid: ${uid}]`;
}
