import type { V1DeploymentCondition } from '#api/generated/types.ts';
import { findCondition, withoutCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';

export type Conditions = readonly V1DeploymentCondition[];

/**
 * Sets a condition, behind the others. One that says the same already stays untouched, times included; one of the same status keeps
 * the time of its last transition.
 */
export function setCondition(conditions: Conditions, nowMs: number, next: Omit<V1DeploymentCondition, 'lastUpdateTime'>): Conditions {
  const before = findCondition(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason) return conditions;
  return renewCondition(conditions, nowMs, next);
}

/** The same, but with a new time of update also where it says the same: deadlines count from there. */
export function renewCondition(conditions: Conditions, nowMs: number, next: Omit<V1DeploymentCondition, 'lastUpdateTime'>): Conditions {
  const before = findCondition(conditions, next.type);
  const now = timeText(nowMs);
  const lastTransitionTime = next.lastTransitionTime ?? (before?.status === next.status ? before.lastTransitionTime : undefined) ?? now;
  return [...withoutCondition(conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }];
}
