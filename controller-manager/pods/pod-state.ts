import type { Pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';

/** True once all containers have ended for good. */
export function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Neither finished nor being deleted: what counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Being deleted, and not known to have terminated. */
export function isTerminating(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}

export function isReady({ status }: Pod): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'True';
}

/** Since when the pod is ready, in milliseconds since the epoch; undefined while it is not. */
export function readySinceMs({ status }: Pod): number | undefined {
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') || 0 : undefined;
}

/** 0 when the pod has been ready for `minReadySeconds`, Infinity while it is not ready, else the milliseconds that are left. */
export function untilAvailableMs(pod: Pod, minReadySeconds: number, nowMs: number): number {
  const sinceMs = readySinceMs(pod);
  if (sinceMs === undefined) return Number.POSITIVE_INFINITY;
  return minReadySeconds === 0 ? 0 : Math.max(0, sinceMs + minReadySeconds * 1_000 - nowMs);
}
