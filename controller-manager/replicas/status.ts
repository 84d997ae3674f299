import type { Pod } from '#api/core/pod/pod.ts';
import type { V1ReplicaSetCondition, V1ReplicaSetStatus } from '#api/generated/types.ts';
import { findCondition, withCondition, withoutCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';
import deepEqual from 'fast-deep-equal';
import { isReady, untilAvailableMs } from '../pods/pod-state.ts';

export interface ReplicaStatusView {
  readonly generation: number | undefined;
  readonly minReadySeconds: number;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly active: readonly Pod[];
  /** How many pods are going; undefined for kinds that do not report it. */
  readonly terminating: number | undefined;
  readonly previous: V1ReplicaSetStatus | undefined;
  /** What went wrong in this step. */
  readonly failure: { readonly verb: 'create' | 'delete'; readonly message: string } | undefined;
  readonly nowMs: number;
}

interface ReplicaStatusOutcome {
  readonly status: V1ReplicaSetStatus;
  /** After how many milliseconds time alone may change it; Infinity: never. */
  readonly changesInMs: number;
}

/** The status that belongs to these pods (upstream's pkg/controller/replicaset/replica_set_utils.go). */
export function replicaStatus(view: ReplicaStatusView): ReplicaStatusOutcome {
  const { active, minReadySeconds, nowMs } = view;
  const labels = Object.entries(view.templateLabels);
  const waits = active.map((pod) => untilAvailableMs(pod, minReadySeconds, nowMs));
  const conditions = failureConditions(view);
  const status: V1ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key] === value)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: waits.filter((ms) => ms === 0).length,
    ...(view.generation === undefined ? {} : { observedGeneration: view.generation }),
    ...(view.terminating === undefined ? {} : { terminatingReplicas: view.terminating }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return { status, changesInMs: Math.min(...waits.filter((ms) => ms > 0)) };
}

/** Zero counts and empty lists are left out on the wire, so they equal absent ones. */
export function sameReplicaStatus(a: V1ReplicaSetStatus, b: V1ReplicaSetStatus | undefined): boolean {
  return deepEqual(asOnTheWire(a), asOnTheWire(b ?? { replicas: 0 }));
}

/** A pointer in Go, so zero is shown, unlike that of the other counts. */
const shownWhenZero = 'terminatingReplicas';

function asOnTheWire(status: object): object {
  const isShown = ([key, value]: [string, unknown]): boolean =>
    key === shownWhenZero || (value !== 0 && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(Object.entries(status).filter(isShown));
}

/** The first failure stays until a step succeeds. */
function failureConditions({ previous, failure, nowMs }: ReplicaStatusView): V1ReplicaSetCondition[] {
  const before = previous?.conditions ?? [];
  if (failure === undefined) return withoutCondition(before, 'ReplicaFailure');
  if (findCondition(before, 'ReplicaFailure') !== undefined) return before;
  const reason = failure.verb === 'create' ? 'FailedCreate' : 'FailedDelete';
  const lastTransitionTime = timeText(nowMs);
  return withCondition(before, { type: 'ReplicaFailure', status: 'True', reason, message: failure.message, lastTransitionTime });
}
