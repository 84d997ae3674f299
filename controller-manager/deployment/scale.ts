import type { ReplicaSet } from '#api/apps/replica-set.ts';
import type { DeploymentStep } from './plan.ts';
import { rememberedDesired, rememberedMax } from './revisions.ts';
import { all, availableOf, type DeploymentView, olderFirst, rollingBounds, sizeOf, sum, wantedOf } from './view.ts';

/**
 * Brings the sets to the Deployment's new size without moving the rollout on: a single active set takes it all, several share the
 * difference in proportion to their sizes, so that the risk of a half-done rollout stays what it was.
 */
export function planScale(view: DeploymentView): readonly DeploymentStep[] {
  const { deployment, current, old } = view;
  const wanted = wantedOf(deployment);
  const active = all(view).filter((set) => sizeOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? old.at(-1);
    return only === undefined ? [] : resize(only, wanted, view);
  }
  if (current !== undefined && isSaturated(current, wanted)) {
    return old.filter((set) => sizeOf(set) > 0).map((set) => ({ do: 'scale', set, size: 0 }));
  }
  if (deployment.spec.strategy?.type === 'Recreate') return [];
  return shareOut(view, active);
}

function shareOut(view: DeploymentView, active: readonly ReplicaSet[]): readonly DeploymentStep[] {
  const { deployment } = view;
  const wanted = wantedOf(deployment);
  const allowed = wanted > 0 ? wanted + rollingBounds(deployment).maxSurge : 0;
  const toAdd = allowed - sum(active, sizeOf);
  const sorted = active.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? olderFirst(b, a) : olderFirst(a, b)));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of sorted) {
    const share = toAdd === 0 ? 0 : shareOf(set, view, toAdd - added);
    sizes.set(set, sizeOf(set) + share);
    added += share;
  }
  const [largest] = sorted;
  if (largest !== undefined) sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sorted.flatMap((set) => resize(set, sizes.get(set) ?? 0, view));
}

/** What a set gets of the replicas to add or (negative) to take, within what is left to hand out. */
function shareOf(set: ReplicaSet, { deployment }: DeploymentView, left: number): number {
  if (left === 0) return 0;
  const wanted = wantedOf(deployment);
  const size = sizeOf(set);
  if (wanted === 0) return Math.max(-size, left);
  // ReplicaSets without the annotation were created by hand or by an older controller: what the Deployment has is the next best measure.
  const before = rememberedMax(set) || (deployment.status?.replicas ?? 0);
  const now = wanted + rollingBounds(deployment).maxSurge;
  const share = before === 0 ? 0 : Math.round((size * now) / before) - size;
  return left > 0 ? Math.min(share, left) : Math.max(share, left);
}

/** Also where only what the set remembers of the Deployment's size is out of date. */
function resize(set: ReplicaSet, size: number, { deployment }: DeploymentView): readonly DeploymentStep[] {
  const remembered = rememberedDesired(set);
  const isStale = remembered !== undefined && remembered !== wantedOf(deployment);
  return sizeOf(set) === size && !isStale ? [] : [{ do: 'scale', set, size }];
}

function isSaturated(set: ReplicaSet, wanted: number): boolean {
  return sizeOf(set) === wanted && rememberedDesired(set) === wanted && availableOf(set) === wanted;
}
