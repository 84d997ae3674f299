// Keeps as many pods as a ReplicaSet or a ReplicationController asks for: both are the same loop over other kinds.
// Expectations bridge the moment between a write and its arrival in the cache; without them a loop would make too many.
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1PodTemplateSpec, V1ReplicaSetStatus } from '#api/generated/types.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import { type KubeObject, keyText } from '#api/meta/object.ts';
import { findController, isControlledBy } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { TypedResource } from '#client/client.ts';
import {
  again,
  type CacheReader,
  type ControllerDefinition,
  defineController,
  done,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import { Expectations } from '#client/expectations.ts';
import { claimChildren } from '../pods/claim-children.ts';
import { isActive, isTerminating } from '../pods/pod-state.ts';
import { oncePerVersion } from '../pods/selectors.ts';
import { planReplicas } from './plan.ts';
import { createPods, deletePods, type ScaleFailure } from './pod-scaler.ts';
import { podWakes } from './pod-wakes.ts';
import { replicaStatus, sameReplicaStatus } from './status.ts';

/** A kind that owns interchangeable pods. */
interface ReplicaOwner extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; template?: V1PodTemplateSpec };
  status?: V1ReplicaSetStatus;
}

interface ReplicasOptions<T extends ReplicaOwner> {
  /** Upstream's name of the controller. */
  readonly name: string;
  readonly kind: TypedResource<T>;
  readonly selectorOf: (owner: T) => LabelSelector;
  /** ReplicaSets report pods that are going, ReplicationControllers have no field for it. */
  readonly countsTerminating: boolean;
}

/** Makes the controller of one such kind. Its expectations live as long as the definition. */
export function replicasController<T extends ReplicaOwner>(options: ReplicasOptions<T>, clock: Clock): ControllerDefinition {
  const expectations = new Expectations(clock);
  const selectorOf = oncePerVersion(options.selectorOf);
  const loop = new ReplicasLoop({ ...options, selectorOf }, expectations);
  return defineController<T>({
    name: options.name,
    reconciles: options.kind,
    reads: [pod],
    writes: [pod, options.kind as never],
    wakes: [podWakes(options.kind, selectorOf, expectations)],
    reconcile: (context) => loop.reconcile(context),
  });
}

class ReplicasLoop<T extends ReplicaOwner> {
  readonly #options: ReplicasOptions<T>;
  readonly #expectations: Expectations;

  constructor(options: ReplicasOptions<T>, expectations: Expectations) {
    this.#options = options;
    this.#expectations = expectations;
  }

  async reconcile(context: ReconcileContext): Promise<Outcome> {
    const { key, cache } = context;
    const { kind, selectorOf } = this.#options;
    const owner = cache.get(kind, key);
    if (owner === undefined) {
      this.#expectations.forget(keyText(key));
      return done;
    }
    // Asked before the cache is read: what was seen by now is in it.
    const canAct = this.#expectations.isSatisfied(keyText(key)) && owner.metadata.deletionTimestamp === undefined;
    const claim = { ownerKind: kind, owner, childKind: pod, selector: selectorOf(owner), isEligible: isActive };
    const active = await claimChildren<T, Pod>(claim, context);
    const failure = canAct ? await this.#act(owner, active, context) : undefined;
    const changesInMs = await this.#writeStatus(owner, active, failure, context);
    if (failure !== undefined) throw failure.error;
    return Number.isFinite(changesInMs) ? again(Math.max(changesInMs, 1)) : done;
  }

  async #act(owner: T, active: readonly Pod[], context: ReconcileContext): Promise<ScaleFailure | undefined> {
    const { kind } = this.#options;
    const related = (): readonly Pod[] => this.#relatedPods(owner, active, context.cache);
    const plan = planReplicas({ wanted: owner.spec.replicas ?? 1, active, related, nowMs: context.clock.nowMs() });
    switch (plan.kind) {
      case 'keep':
        return undefined;
      case 'create':
        return await createPods({ kind, owner, template: owner.spec.template ?? {}, count: plan.count }, this.#expectations, context);
      case 'delete':
        return await deletePods({ owner, pods: plan.pods }, this.#expectations, context);
    }
  }

  /** Answers after how many milliseconds the status may change by time alone. */
  async #writeStatus(owner: T, active: readonly Pod[], failure: ScaleFailure | undefined, context: ReconcileContext): Promise<number> {
    const { cache, client, clock, signal } = context;
    const { status, changesInMs } = replicaStatus({
      generation: owner.metadata.generation,
      minReadySeconds: owner.spec.minReadySeconds ?? 0,
      templateLabels: owner.spec.template?.metadata?.labels ?? {},
      active,
      terminating: this.#options.countsTerminating ? this.#countTerminating(owner, cache) : undefined,
      previous: owner.status,
      failure,
      nowMs: clock.nowMs(),
    });
    if (sameReplicaStatus(status, owner.status)) return changesInMs;
    try {
      await client.update<T>(this.#options.kind, { ...owner, status }, { subresource: 'status' }, signal);
    } catch (error) {
      // The owner changed or went meanwhile: its new state wakes this loop by itself.
      if (!hasReason(error, 'Conflict', 'NotFound')) throw error;
    }
    return changesInMs;
  }

  #countTerminating(owner: T, cache: CacheReader): number {
    const selector = this.#options.selectorOf(owner);
    const isCounted = (one: Pod): boolean =>
      isTerminating(one) && isControlledBy(one, owner) && selector.matches(one.metadata.labels ?? {});
    return cache.ownedBy<Pod>(pod, owner.metadata.uid ?? '').filter(isCounted).length;
  }

  /** Pods of all sets that the same owner controls, so that a rolling update thins out the nodes evenly. */
  #relatedPods(owner: T, active: readonly Pod[], cache: CacheReader): readonly Pod[] {
    const parent = findController(owner);
    if (parent === undefined) return active;
    const siblings = cache.ownedBy(this.#options.kind, parent.uid);
    return siblings.flatMap((sibling) => cache.ownedBy<Pod>(pod, sibling.metadata.uid ?? ''));
  }
}
