import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodCondition, V1Taint, V1Toleration } from '#api/generated/types.ts';
import { findCondition } from '#api/meta/conditions.ts';

export type EvictionPlan = { readonly kind: 'keep' } | { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'evict' };

interface EvictionTimes {
  readonly nowMs: number;
  /** Since when the pod is known to bear what it bears for a while only: what counts for taints that do not say when they came. */
  readonly sinceMs: number;
  /** When the pod came to the node, by the API server's clock: a taint is tolerated from then on at the earliest. */
  readonly arrivedMs: number;
}

/** What the NoExecute taints of its node mean for a pod: a taint that it does not tolerate, or not for ever, drives it off. Of several tolerations that fit a taint the first counts. */
export function planEviction(
  tolerations: readonly V1Toleration[],
  taints: readonly V1Taint[],
  { nowMs, sinceMs, arrivedMs }: EvictionTimes,
): EvictionPlan {
  let dueMs = Number.POSITIVE_INFINITY;
  // Clocks differ: what has been seen cannot have come later.
  const firstMs = Math.min(arrivedMs, sinceMs);
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const fitting = tolerations.find((toleration) => tolerates(toleration, taint));
    if (fitting === undefined) return { kind: 'evict' };
    if (fitting.tolerationSeconds === undefined) continue;
    const addedMs = Math.max(Date.parse(taint.timeAdded ?? '') || sinceMs, firstMs);
    dueMs = Math.min(dueMs, addedMs + Math.max(0, fitting.tolerationSeconds) * 1_000);
  }
  if (dueMs === Number.POSITIVE_INFINITY) return { kind: 'keep' };
  return dueMs <= nowMs ? { kind: 'evict' } : { kind: 'wait', ms: dueMs - nowMs };
}

/** When a pod came to its node: by its binding, or, where it was made for the node, with its making. */
export function arrivalMs({ metadata, status }: Pod): number {
  const scheduled = findCondition<V1PodCondition>(status?.conditions, 'PodScheduled');
  const bound = scheduled?.status === 'True' ? scheduled.lastTransitionTime : undefined;
  return Date.parse(bound ?? metadata.creationTimestamp ?? '') || 0;
}

function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: V1Toleration, taint: V1Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== '' && operator === 'Equal' && value === (taint.value ?? '');
}
