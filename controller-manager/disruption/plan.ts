// How many pods a budget may lose right now (upstream's pkg/controller/disruption/disruption.go). Deciding only.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Condition, V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { findCondition, withCondition } from '#api/meta/conditions.ts';
import { scaledCount } from '#api/meta/int-or-string.ts';
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { timeText } from '#api/meta/time-text.ts';
import { isReady } from '../pods/pod-state.ts';

/** How long an eviction counts as under way before its pod counts as staying. */
const deletionTimeoutMs = 120_000;

interface Expected {
  /** Pods that there should be. */
  readonly pods: number;
  /** Of them, how many have to be healthy. */
  readonly healthy: number;
}

/** Whether the owners of the pods have to be asked for their sizes: percentages and maxima are of those, a plain minimum is not. */
export function needsScales({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string';
}

/** @param size what the owners of the pods ask for together; only read where `needsScales`. */
export function expectedOf({ spec }: PodDisruptionBudget, podCount: number, size: number): Expected {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable !== undefined) return { pods: size, healthy: Math.max(0, size - share(maxUnavailable, size)) };
  if (typeof minAvailable === 'string') return { pods: size, healthy: share(minAvailable, size) };
  return minAvailable === undefined ? { pods: 0, healthy: 0 } : { pods: podCount, healthy: minAvailable };
}

/** Shares are rounded up, whichever side they favour. */
function share(value: number | string, size: number): number {
  return scaledCount(value, size, { round: 'up' }) ?? 0;
}

interface Evictions {
  /** Pods that are about to go, by name, with the time of their eviction. */
  readonly disruptedPods: Readonly<Record<string, string>>;
  /** Pods that should have gone by now. */
  readonly overdue: readonly Pod[];
  /** Until the next one is overdue; undefined where none is waited for. */
  readonly recheckMs: number | undefined;
}

/** What is left of the evictions that the budget was charged with: those whose pods are still there and not yet going. */
export function pendingEvictions(pods: readonly Pod[], { status }: PodDisruptionBudget, nowMs: number): Evictions {
  const charged = status?.disruptedPods ?? {};
  const disruptedPods: Record<string, string> = {};
  const overdue: Pod[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const at = charged[name];
    if (at === undefined || deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(at) + deletionTimeoutMs - nowMs;
    if (leftMs < 0) {
      overdue.push(pod);
      continue;
    }
    disruptedPods[name] = at;
    recheckMs = Math.min(recheckMs ?? Infinity, leftMs);
  }
  return { disruptedPods, overdue, recheckMs };
}

/** Pods that are ready, stay, and are not about to be evicted. */
export function countHealthy(pods: readonly Pod[], { disruptedPods }: Evictions): number {
  return pods.filter((pod) => {
    const { name = '', deletionTimestamp } = pod.metadata;
    return deletionTimestamp === undefined && disruptedPods[name] === undefined && isReady(pod);
  }).length;
}

export interface Count {
  readonly expected: Expected;
  readonly currentHealthy: number;
  readonly evictions: Evictions;
}

/** The status that follows; undefined where the budget says all of it already. */
export function nextStatus(budget: PodDisruptionBudget, count: Count, nowMs: number): V1PodDisruptionBudgetStatus | undefined {
  const { metadata, status } = budget;
  const { expected, currentHealthy, evictions } = count;
  const spare = currentHealthy - expected.healthy;
  const disruptionsAllowed = expected.pods <= 0 || spare <= 0 ? 0 : spare;
  const observedGeneration = metadata.generation ?? 0;
  const counts = {
    currentHealthy,
    desiredHealthy: expected.healthy,
    expectedPods: expected.pods,
    disruptionsAllowed,
    observedGeneration,
  };
  const condition: V1Condition = {
    type: 'DisruptionAllowed',
    status: disruptionsAllowed > 0 ? 'True' : 'False',
    reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration,
    lastTransitionTime: timeText(nowMs),
  };
  if (saysAll(status, counts, evictions.disruptedPods, condition)) return undefined;
  return {
    ...counts,
    ...(Object.keys(evictions.disruptedPods).length === 0 ? {} : { disruptedPods: { ...evictions.disruptedPods } }),
    conditions: withCondition(status?.conditions, condition),
  };
}

/** What a budget says that could not be counted: nothing may go until it can. */
export function failedStatus({ status }: PodDisruptionBudget, message: string, nowMs: number): V1PodDisruptionBudgetStatus {
  const before = status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 };
  const condition: V1Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    ...(before.observedGeneration === undefined ? {} : { observedGeneration: before.observedGeneration }),
    lastTransitionTime: timeText(nowMs),
  };
  return { ...before, disruptionsAllowed: 0, conditions: withCondition(before.conditions, condition) };
}

type Counts = Omit<V1PodDisruptionBudgetStatus, 'conditions' | 'disruptedPods'>;

function saysAll(
  status: V1PodDisruptionBudgetStatus | undefined,
  counts: Counts,
  disruptedPods: Readonly<Record<string, string>>,
  condition: V1Condition,
): boolean {
  if (status === undefined) return false;
  const current = findCondition(status.conditions, condition.type);
  const before = status.disruptedPods ?? {};
  return (
    (Object.keys(counts) as (keyof Counts)[]).every((field) => status[field] === counts[field]) &&
    Object.keys(before).length === Object.keys(disruptedPods).length &&
    Object.entries(disruptedPods).every(([name, at]) => before[name] === at) &&
    current?.status === condition.status &&
    current.reason === condition.reason &&
    current.observedGeneration === condition.observedGeneration
  );
}

type StalePlan = { readonly kind: 'none' } | { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'clear' };

/**
 * Whether a pod still says that it is about to be deleted although it was not deleted in time. What the node agent said stays: its pods may
 * take long to go.
 */
export function planStale({ metadata, status }: Pod, nowMs: number): StalePlan {
  const target = findCondition(status?.conditions, 'DisruptionTarget');
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed' || metadata.deletionTimestamp !== undefined;
  if (isOver || target?.status !== 'True' || target.reason === 'TerminationByKubelet') return { kind: 'none' };
  const leftMs = Date.parse(target.lastTransitionTime ?? '') + deletionTimeoutMs - nowMs;
  return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'clear' };
}
