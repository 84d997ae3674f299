import type { ReplicaSet } from '#api/apps/replica-set.ts';
import type { V1DeploymentStatus } from '#api/generated/types.ts';
import { findCondition, withoutCondition } from '#api/meta/conditions.ts';
import { type Conditions, setCondition } from './conditions.ts';
import { progressDeadlineInMs, progressing, type ReplicaCounts, type RolloutEvent } from './progress.ts';
import { all, availableOf, type DeploymentView, rollingBounds, sizeOf, sum, wantedOf } from './view.ts';

interface DeploymentStatusOutcome {
  readonly status: V1DeploymentStatus;
  /** After how many milliseconds the progress deadline may pass; undefined when none runs. */
  readonly deadlineInMs: number | undefined;
}

/** The status of a Deployment with these sets (upstream's pkg/controller/deployment/progress.go and sync.go). */
export function deploymentStatus(view: DeploymentView, event: RolloutEvent): DeploymentStatusOutcome {
  const { metadata, status: before = {} } = view.deployment;
  const counts = replicaCounts(view);
  const terminating = terminatingReplicas(all(view));
  let conditions: Conditions = before.conditions ?? [];
  conditions = availability(conditions, view, counts.availableReplicas);
  conditions = progressing(conditions, view, counts, event);
  conditions = failures(conditions, view);
  const status: V1DeploymentStatus = {
    ...withoutZeros(counts),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(before.collisionCount === undefined ? {} : { collisionCount: before.collisionCount }),
    ...(conditions.length > 0 ? { conditions: [...conditions] } : {}),
  };
  return { status, deadlineInMs: progressDeadlineInMs(conditions, view, counts) };
}

function replicaCounts(view: DeploymentView): ReplicaCounts {
  const sets = all(view);
  const availableReplicas = sum(sets, availableOf);
  return {
    replicas: sum(sets, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: view.current?.status?.replicas ?? 0,
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(sets, sizeOf) - availableReplicas),
  };
}

/** Known only when every set reports it. */
function terminatingReplicas(sets: readonly ReplicaSet[]): number | undefined {
  if (sets.some(({ status }) => status?.terminatingReplicas === undefined)) return undefined;
  return sum(sets, ({ status }) => status?.terminatingReplicas ?? 0);
}

function withoutZeros(counts: ReplicaCounts): Partial<ReplicaCounts> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function availability(conditions: Conditions, { deployment, nowMs }: DeploymentView, available: number): Conditions {
  const isEnough = available >= wantedOf(deployment) - rollingBounds(deployment).maxUnavailable;
  return setCondition(conditions, nowMs, {
    type: 'Available',
    status: isEnough ? 'True' : 'False',
    reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: isEnough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
  });
}

/** Shows why pods cannot be made: the current set's failure, else an old one's. */
function failures(conditions: Conditions, { current, old, nowMs }: DeploymentView): Conditions {
  const sets = current === undefined ? old : [current, ...old];
  const failed = sets
    .map(({ status }) => findCondition(status?.conditions, 'ReplicaFailure'))
    .find((condition) => condition?.status === 'True');
  if (failed === undefined) return withoutCondition(conditions, 'ReplicaFailure');
  const { reason = '', message = '', lastTransitionTime } = failed;
  const since = lastTransitionTime === undefined ? {} : { lastTransitionTime };
  return setCondition(conditions, nowMs, { type: 'ReplicaFailure', status: 'True', reason, message, ...since });
}
