import type { ReplicaSet } from '#api/apps/replica-set.ts';
import type { DeploymentStep } from './plan.ts';
import { all, availableOf, currentSetSize, type DeploymentView, rollingBounds, sizeOf, sum, wantedOf } from './view.ts';

/** The next steps of a rolling update: first the current set grows as far as it may, then old ones shrink as far as they may. */
export function planRolling(view: DeploymentView): readonly DeploymentStep[] {
  const { deployment, current } = view;
  if (current === undefined) return [];
  const wanted = wantedOf(deployment);
  const size = sizeOf(current) > wanted ? wanted : currentSetSize(deployment, sizeOf(current), sum(all(view), sizeOf));
  if (size !== sizeOf(current)) return [{ do: 'scale', set: current, size }];
  return shrinkOld(view, current);
}

/** Old replicas that are not available go first, since they serve no traffic; available ones as far as the minimum allows. */
function shrinkOld(view: DeploymentView, current: ReplicaSet): readonly DeploymentStep[] {
  const { deployment, old } = view;
  const active = old.filter((set) => sizeOf(set) > 0);
  if (active.length === 0) return [];
  const minAvailable = wantedOf(deployment) - rollingBounds(deployment).maxUnavailable;
  const currentUnavailable = sizeOf(current) - availableOf(current);
  const mayGo = sum(all(view), sizeOf) - minAvailable - currentUnavailable;
  if (mayGo <= 0) return [];

  const sizes = new Map(active.map((set) => [set, sizeOf(set)]));
  let left = mayGo;
  for (const set of active) {
    const unhealthy = Math.min(left, sizeOf(set) - Math.min(sizeOf(set), availableOf(set)));
    sizes.set(set, sizeOf(set) - unhealthy);
    left -= unhealthy;
  }
  let surplus = sum(all(view), availableOf) - minAvailable;
  for (const set of active) {
    if (surplus <= 0) break;
    const size = sizes.get(set) ?? 0;
    const gone = Math.min(surplus, size);
    sizes.set(set, size - gone);
    surplus -= gone;
  }
  return [...sizes].filter(([set, size]) => size !== sizeOf(set)).map(([set, size]) => ({ do: 'scale', set, size }));
}
