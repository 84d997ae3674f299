import type { Deployment } from '#api/apps/deployment.ts';
import type { ReplicaSet } from '#api/apps/replica-set.ts';
import type { V1PodTemplateSpec } from '#api/generated/types.ts';
import { scaledCount } from '#api/meta/int-or-string.ts';
import deepEqual from 'fast-deep-equal';

export const hashLabel = 'pod-template-hash';

/** A Deployment with its ReplicaSets sorted out. */
export interface DeploymentView {
  readonly deployment: Deployment;
  /** The one with the Deployment's template; of several the oldest. */
  readonly current: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly old: readonly ReplicaSet[];
  readonly nowMs: number;
}

/** Sorts a Deployment's own ReplicaSets into the current one and the old ones. */
export function viewOf(deployment: Deployment, replicaSets: readonly ReplicaSet[], nowMs: number): DeploymentView {
  const byAge = replicaSets.toSorted(olderFirst);
  const current = byAge.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { deployment, current, old: byAge.filter((one) => one !== current), nowMs };
}

/** True when two templates are equal but for the pod-template-hash label. */
export function sameTemplate(a: V1PodTemplateSpec | undefined, b: V1PodTemplateSpec | undefined): boolean {
  return deepEqual(withoutHash(a), withoutHash(b));
}

export function olderFirst(a: ReplicaSet, b: ReplicaSet): number {
  const difference = createdMs(a) - createdMs(b);
  if (difference !== 0) return difference;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

export function all({ current, old }: DeploymentView): readonly ReplicaSet[] {
  return current === undefined ? old : [...old, current];
}

/** Replicas asked for. */
export function wantedOf({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

export function sizeOf(set: ReplicaSet | undefined): number {
  return set === undefined ? 0 : (set.spec.replicas ?? 0);
}

export function availableOf(set: ReplicaSet | undefined): number {
  return set?.status?.availableReplicas ?? 0;
}

export function sum(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((total, set) => total + count(set), 0);
}

/** How far a rolling update may go above and below the wanted count. Both zero would stop it, so then one may be missing. */
export function rollingBounds(deployment: Deployment): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const wanted = wantedOf(deployment);
  if (deployment.spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledCount(maxSurge, wanted, { round: 'up' }) ?? 0;
  const unavailable = scaledCount(maxUnavailable, wanted, { round: 'down' }) ?? 0;
  const isStuck = surge === 0 && unavailable === 0;
  return { maxSurge: surge, maxUnavailable: Math.min(isStuck ? 1 : unavailable, wanted) };
}

/** How many replicas the current set should have now, given all that exist. */
export function currentSetSize(deployment: Deployment, current: number, total: number): number {
  const wanted = wantedOf(deployment);
  if (deployment.spec.strategy?.type === 'Recreate') return wanted;
  const mostAllowed = wanted + rollingBounds(deployment).maxSurge;
  if (total >= mostAllowed) return current;
  return current + Math.min(mostAllowed - total, wanted - current);
}

function createdMs({ metadata }: ReplicaSet): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function withoutHash(template: V1PodTemplateSpec | undefined): object {
  const { labels = {}, ...metadata } = template?.metadata ?? {};
  const { [hashLabel]: _hash, ...others } = labels;
  const { creationTimestamp: _created, ...rest } = metadata as typeof metadata & { creationTimestamp?: unknown };
  return { metadata: { ...rest, ...(Object.keys(others).length > 0 ? { labels: others } : {}) }, spec: template?.spec ?? {} };
}
