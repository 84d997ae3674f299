// Keeps as many pods as a ReplicaSet or a ReplicationController asks for: both are the same loop over other kinds.
// Expectations bridge the moment between a write and its arrival in the cache; without them a loop would make too many.
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1PodTemplateSpec, V1ReplicaSetStatus } from '#api/generated/types.ts';
import type { Resource } from '#api/kind.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { TypedResource } from '#client/client.ts';
import {
  again,
  type CacheReader,
  type ControllerDefinition,
  controllerOf,
  defineController,
  done,
  on,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import deepEqual from 'fast-deep-equal';
import { adoptPatch, planClaims, releasePatch } from '../pods/claim.ts';
import { podFromTemplate } from '../pods/from-template.ts';
import { isActive } from '../pods/pod-state.ts';
import { slowStart } from '../pods/slow-start.ts';
import { planReplicas, type ReplicaPlan, replicaStatus } from './plan.ts';

/** A kind that owns interchangeable pods. */
export interface ReplicaOwner extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; template?: V1PodTemplateSpec };
  status?: V1ReplicaSetStatus;
}

export interface ReplicasOptions<T extends ReplicaOwner> {
  /** Upstream's name of the controller. */
  readonly name: string;
  readonly kind: TypedResource<T>;
  readonly selectorOf: (owner: T) => LabelSelector;
  readonly countsTerminating: boolean;
}

type Step = { readonly failure: { readonly verb: 'create' | 'delete'; readonly message: string } | undefined; readonly error: unknown };
const nothingWrong: Step = { failure: undefined, error: undefined };

/** Makes the controller of one such kind. Its expectations live as long as the definition. */
export function replicasController<T extends ReplicaOwner>(options: ReplicasOptions<T>, clock: Clock): ControllerDefinition {
  const loop = new ReplicasLoop(options, clock);
  return defineController<T>({
    name: options.name,
    reconciles: options.kind,
    reads: [pod],
    writes: [pod as never, options.kind as never],
    wakes: [on<Pod>(pod, (object, previous, cache) => loop.podChanged(object, previous, cache))],
    reconcile: (context) => loop.reconcile(context),
  });
}

class ReplicasLoop<T extends ReplicaOwner> {
  readonly #options: ReplicasOptions<T>;
  readonly #expectations: Expectations;

  constructor(options: ReplicasOptions<T>, clock: Clock) {
    this.#options = options;
    this.#expectations = new Expectations(clock);
  }

  /** Who must look again because of a pod, after noting what its appearance or end fulfils. */
  podChanged(object: Pod, previous: Pod | undefined, cache: CacheReader): readonly ObjectKey[] {
    const owners = controllerOf(this.#options.kind)(object);
    for (const owner of owners) {
      const isThere = cache.get(pod, keyOf(object)) !== undefined;
      if (!isThere || object.metadata.deletionTimestamp !== undefined)
        this.#expectations.deletionSeen(keyText(owner), object.metadata.uid ?? '');
      else if (previous === undefined) this.#expectations.creationSeen(keyText(owner));
    }
    const before = previous === undefined ? [] : controllerOf(this.#options.kind)(previous);
    if (findController(object) === undefined) return [...before, ...this.#possibleOwners(object, cache)];
    return [...owners, ...before.filter((key) => !owners.some((owner) => keyText(owner) === keyText(key)))];
  }

  async reconcile(context: ReconcileContext): Promise<Outcome> {
    const { key, cache } = context;
    const owner = cache.get(this.#options.kind, key);
    if (owner === undefined) {
      this.#expectations.forget(keyText(key));
      return done;
    }
    const mine = await this.#claim(owner, context);
    const canAct = this.#expectations.isSatisfied(keyText(key)) && owner.metadata.deletionTimestamp === undefined;
    const step = canAct ? await this.#act(owner, mine, context) : nothingWrong;
    const changesInMs = await this.#writeStatus(owner, mine, step, context);
    if (step.error !== undefined) throw step.error;
    return Number.isFinite(changesInMs) ? again(Math.max(changesInMs, 1)) : done;
  }

  /** The owner's pods; adopts strays that match and releases those that do not any more. */
  async #claim(owner: T, { cache, client, signal }: ReconcileContext): Promise<readonly Pod[]> {
    const { kind, selectorOf } = this.#options;
    const selector = selectorOf(owner);
    const candidates = cache.list(pod, owner.metadata.namespace);
    const plan = planClaims({ owner, candidates, matches: (labels) => selector.matches(labels), isEligible: isActive });
    const mine = [...plan.mine];
    if (plan.adopt.length > 0) {
      // The cache may show an owner that was deleted and made anew: ask before taking pods in.
      const fresh = await client.get(kind, keyOf(owner), signal);
      if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) return mine;
    }
    for (const child of plan.adopt) {
      mine.push(await client.patch<Pod>(pod, keyOf(child), adoptPatch(kind, owner, child), { type: 'strategic' }, signal));
    }
    for (const child of plan.release) {
      try {
        await client.patch<Pod>(pod, keyOf(child), releasePatch(owner, child), { type: 'strategic' }, signal);
      } catch (error) {
        // Gone, or another object under the same name: released all the same.
        if (!hasReason(error, 'NotFound', 'Invalid', 'Conflict')) throw error;
      }
    }
    return mine;
  }

  async #act(owner: T, mine: readonly Pod[], context: ReconcileContext): Promise<Step> {
    const active = mine.filter(isActive);
    const wanted = owner.spec.replicas ?? 1;
    const related = active.length > wanted ? this.#relatedPods(owner, active, context.cache) : active;
    const plan = planReplicas({ wanted, active, related, nowMs: context.clock.nowMs() });
    return await this.#perform(plan, owner, context);
  }

  async #perform(plan: ReplicaPlan, owner: T, context: ReconcileContext): Promise<Step> {
    switch (plan.kind) {
      case 'keep':
        return nothingWrong;
      case 'create':
        return await this.#create(plan.count, owner, context);
      case 'delete':
        return await this.#delete(plan.pods, owner, context);
    }
  }

  async #create(count: number, owner: T, { key, client, events, signal }: ReconcileContext): Promise<Step> {
    const parent = keyText(key);
    const template = owner.spec.template ?? {};
    this.#expectations.expectCreations(parent, count);
    const { succeeded, error } = await slowStart(count, async () => {
      try {
        const made = await client.create<Pod>(pod, podFromTemplate(this.#options.kind, owner, template), {}, signal);
        events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
      } catch (failure) {
        this.#expectations.creationSeen(parent);
        throw failure;
      }
    });
    if (error === undefined) return nothingWrong;
    // What was not even tried will not be seen either; failures have taken theirs back already.
    const attempted = succeeded + 1;
    for (let skipped = attempted; skipped < count; skipped++) this.#expectations.creationSeen(parent);
    if (isNamespaceGoing(error)) return nothingWrong;
    const message = error instanceof Error ? error.message : String(error);
    events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${message}`);
    return { failure: { verb: 'create', message }, error };
  }

  async #delete(pods: readonly Pod[], owner: T, { key, client, events, signal }: ReconcileContext): Promise<Step> {
    const parent = keyText(key);
    this.#expectations.expectDeletions(
      parent,
      pods.map(({ metadata }) => metadata.uid ?? ''),
    );
    const outcomes = await Promise.allSettled(
      pods.map(async (one) => {
        try {
          await client.delete(pod as Resource, keyOf(one), { uid: one.metadata.uid }, signal);
          events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${one.metadata.name}`);
        } catch (failure) {
          this.#expectations.deletionSeen(parent, one.metadata.uid ?? '');
          if (hasReason(failure, 'NotFound', 'Conflict')) return;
          const message = failure instanceof Error ? failure.message : String(failure);
          events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${message}`);
          throw failure;
        }
      }),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return nothingWrong;
    const message = failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
    return { failure: { verb: 'delete', message }, error: failed.reason };
  }

  async #writeStatus(owner: T, mine: readonly Pod[], { failure }: Step, { client, clock, signal }: ReconcileContext): Promise<number> {
    const { status, changesInMs } = replicaStatus({
      generation: owner.metadata.generation,
      minReadySeconds: owner.spec.minReadySeconds ?? 0,
      countsTerminating: this.#options.countsTerminating,
      templateLabels: owner.spec.template?.metadata?.labels ?? {},
      mine,
      previous: owner.status,
      failure,
      nowMs: clock.nowMs(),
    });
    if (deepEqual(nonZero(status), nonZero(owner.status ?? { replicas: 0 }))) return changesInMs;
    try {
      await client.update<T>(this.#options.kind, { ...owner, status }, { subresource: 'status' }, signal);
    } catch (error) {
      // The owner changed or went meanwhile: its new state wakes this loop by itself.
      if (!hasReason(error, 'Conflict', 'NotFound')) throw error;
    }
    return changesInMs;
  }

  /** Pods of all sets that the same owner controls, so that a rolling update thins out the nodes evenly. */
  #relatedPods(owner: T, active: readonly Pod[], cache: CacheReader): readonly Pod[] {
    const parent = findController(owner);
    if (parent === undefined) return active;
    return cache.ownedBy(this.#options.kind, parent.uid).flatMap(({ metadata }) => cache.ownedBy(pod, metadata.uid ?? ''));
  }

  #possibleOwners(object: Pod, cache: CacheReader): readonly ObjectKey[] {
    if (!isActive(object)) return [];
    const { kind, selectorOf } = this.#options;
    const owners = cache.list(kind, object.metadata.namespace);
    return owners.filter((owner) => selectorOf(owner).matches(object.metadata.labels ?? {})).map((owner) => keyOf(owner));
  }
}

/** A namespace that goes takes no new pods, and its owner goes soon: nothing to report. */
function isNamespaceGoing(error: unknown): boolean {
  return hasReason(error, 'Forbidden') && (error.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
}

/** Zero counts and empty lists are left out on the wire, so they equal absent ones. */
function nonZero(status: object): object {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && !(Array.isArray(value) && value.length === 0)));
}
