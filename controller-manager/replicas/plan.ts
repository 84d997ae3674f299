import type { Pod } from '#api/core/pod/pod.ts';
import type { V1ReplicaSetStatus } from '#api/generated/types.ts';
import { type Condition, findCondition, withCondition, withoutCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';
import { deletionOrder } from '../pods/deletion-order.ts';
import { isActive, isReady, untilAvailableMs } from '../pods/pod-state.ts';

export type ReplicaPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'create'; readonly count: number }
  | { readonly kind: 'delete'; readonly pods: readonly Pod[] };

/** At most so many pods are made or deleted in one step. */
export const burst = 500;

export interface ReplicaView {
  readonly wanted: number;
  /** The owner's pods that are neither finished nor going. */
  readonly active: readonly Pod[];
  /** Pods that count when crowded nodes are found; the owner's and its siblings'. */
  readonly related: readonly Pod[];
  readonly nowMs: number;
}

/** How to get from what there is to the wanted number. */
export function planReplicas({ wanted, active, related, nowMs }: ReplicaView): ReplicaPlan {
  const missing = wanted - active.length;
  if (missing > 0) return { kind: 'create', count: Math.min(missing, burst) };
  if (missing === 0) return { kind: 'keep' };
  return { kind: 'delete', pods: deletionOrder(active, related, nowMs).slice(0, Math.min(-missing, burst)) };
}

export interface StatusView {
  readonly generation: number | undefined;
  readonly minReadySeconds: number;
  /** ReplicaSets report pods that are going, ReplicationControllers have no field for it. */
  readonly countsTerminating: boolean;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly mine: readonly Pod[];
  readonly previous: V1ReplicaSetStatus | undefined;
  /** What went wrong in this step. */
  readonly failure: { readonly verb: 'create' | 'delete'; readonly message: string } | undefined;
  readonly nowMs: number;
}

/** The status that belongs to these pods, and after how many milliseconds time alone may change it (Infinity: never). */
export function replicaStatus(view: StatusView): { readonly status: V1ReplicaSetStatus; readonly changesInMs: number } {
  const { mine, minReadySeconds, templateLabels, nowMs } = view;
  const active = mine.filter(isActive);
  const labels = Object.entries(templateLabels);
  const waits = active.map((pod) => untilAvailableMs(pod, minReadySeconds, nowMs));
  const conditions = failureConditions(view);
  const changesInMs = Math.min(Number.POSITIVE_INFINITY, ...waits.filter((ms) => ms > 0));
  const status: V1ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key] === value)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: waits.filter((ms) => ms === 0).length,
    ...(view.generation === undefined ? {} : { observedGeneration: view.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  if (!view.countsTerminating) return { status, changesInMs };
  const terminating = mine.filter(
    ({ metadata, status: podStatus }) => metadata.deletionTimestamp !== undefined && !isFinished(podStatus?.phase),
  ).length;
  return { status: { ...status, terminatingReplicas: terminating }, changesInMs };
}

function isFinished(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function failureConditions({ previous, failure, nowMs }: StatusView): NonNullable<V1ReplicaSetStatus['conditions']> {
  const before = (previous?.conditions ?? []) as (Condition & NonNullable<V1ReplicaSetStatus['conditions']>[number])[];
  if (failure === undefined) return withoutCondition(before, 'ReplicaFailure');
  if (findCondition(before, 'ReplicaFailure') !== undefined) return before;
  const reason = failure.verb === 'create' ? 'FailedCreate' : 'FailedDelete';
  return withCondition(before, {
    type: 'ReplicaFailure',
    status: 'True',
    reason,
    message: failure.message,
    lastTransitionTime: timeText(nowMs),
  });
}
