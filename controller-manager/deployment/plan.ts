// Plans the next steps of a rollout from the Deployment and its ReplicaSets. Every write triggers another reconcile, so a plan may stop
// before steps that depend on an earlier one's effect. Follows upstream's pkg/controller/deployment.
import type { ReplicaSet } from '#api/apps/replica-set.ts';
import { planRecreate } from './recreate.ts';
import { currentSetAnnotations, maxRevision, rememberedDesired, revisionOf } from './revisions.ts';
import { planRolling } from './rolling.ts';
import { planScale } from './scale.ts';
import { all, currentSetSize, type DeploymentView, sizeOf, sum, wantedOf } from './view.ts';
import deepEqual from 'fast-deep-equal';

export type DeploymentStep =
  /** Creates the ReplicaSet for the Deployment's template. */
  | { readonly do: 'create'; readonly size: number; readonly revision: bigint }
  /** Scales a ReplicaSet, and records the Deployment's size in its annotations. */
  | { readonly do: 'scale'; readonly set: ReplicaSet; readonly size: number }
  /** Updates the annotations and minReadySeconds of the current ReplicaSet. */
  | { readonly do: 'sync'; readonly set: ReplicaSet; readonly annotations: Record<string, string> }
  | { readonly do: 'delete'; readonly set: ReplicaSet };

interface DeploymentPlan {
  readonly steps: readonly DeploymentStep[];
  /** The revision for the Deployment's annotation; undefined leaves it. */
  readonly revision: bigint | undefined;
}

const nothing: DeploymentPlan = { steps: [], revision: undefined };

/** @param oldPodsRun whether pods of old ReplicaSets still run; called for the Recreate strategy only. */
export function planDeployment(view: DeploymentView, oldPodsRun: () => boolean): DeploymentPlan {
  const { deployment, current } = view;
  if (deployment.metadata.deletionTimestamp !== undefined) return nothing;
  const revision = maxRevision(view.old) + 1n;
  if (current !== undefined) {
    const annotations = currentSetAnnotations(deployment, current, revision);
    const isSame = deepEqual(annotations, current.metadata.annotations ?? {});
    if (!isSame || (current.spec.minReadySeconds ?? 0) !== (deployment.spec.minReadySeconds ?? 0)) {
      return {
        steps: [{ do: 'sync', set: current, annotations }],
        revision: revision > revisionOf(current) ? revision : revisionOf(current),
      };
    }
  }
  const shown = current === undefined ? undefined : revisionOf(current);
  if (deployment.spec.paused === true) return { steps: [...planScale(view), ...planCleanup(view)], revision: shown };
  if (isScalingEvent(view)) return { steps: planScale(view), revision: shown };
  const isRecreate = deployment.spec.strategy?.type === 'Recreate';
  const waits = isRecreate ? planRecreate(view, oldPodsRun) : undefined;
  if (waits !== undefined) return { steps: waits, revision: shown };
  if (current === undefined) {
    const size = currentSetSize(deployment, 0, sum(view.old, sizeOf));
    return { steps: [{ do: 'create', size, revision }], revision };
  }
  const steps = isRecreate ? scaleTo(current, wantedOf(deployment)) : planRolling(view);
  return { steps: steps.length > 0 ? steps : planCleanup(view), revision: shown };
}

function scaleTo(set: ReplicaSet, size: number): readonly DeploymentStep[] {
  return sizeOf(set) === size ? [] : [{ do: 'scale', set, size }];
}

/** True when the Deployment's size changed since its ReplicaSets were last scaled. */
function isScalingEvent(view: DeploymentView): boolean {
  return all(view).some((set) => {
    const remembered = rememberedDesired(set);
    return sizeOf(set) > 0 && remembered !== undefined && remembered !== wantedOf(view.deployment);
  });
}

/** Removes old ReplicaSets beyond revisionHistoryLimit once the rollout is complete: lowest revision first, never one that has pods. */
function planCleanup(view: DeploymentView): readonly DeploymentStep[] {
  const { deployment, old } = view;
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || (deployment.spec.paused !== true && !isComplete(view))) return [];
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = alive.toSorted((a, b) => Number(revisionOf(a) - revisionOf(b))).slice(0, Math.max(0, alive.length - limit));
  return surplus.filter((set) => isEmpty(set)).map((set) => ({ do: 'delete', set }));
}

/** True when all replicas are of the current template and available, and no old one is left. */
function isComplete({ deployment, current, old }: DeploymentView): boolean {
  const wanted = wantedOf(deployment);
  const sets = current === undefined ? old : [...old, current];
  return (
    (current?.status?.replicas ?? 0) === wanted &&
    sum(sets, ({ status }) => status?.replicas ?? 0) === wanted &&
    sum(sets, ({ status }) => status?.availableReplicas ?? 0) === wanted
  );
}

function isEmpty({ spec, status, metadata }: ReplicaSet): boolean {
  const isObserved = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
  return (spec.replicas ?? 0) === 0 && (status?.replicas ?? 0) === 0 && isObserved;
}
