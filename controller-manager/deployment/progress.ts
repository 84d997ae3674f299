// The Progressing condition of a Deployment: what a rollout did last, and whether it did nothing for too long.
import type { Deployment } from '#api/apps/deployment.ts';
import type { V1DeploymentCondition, V1DeploymentStatus } from '#api/generated/types.ts';
import { findCondition, withoutCondition } from '#api/meta/conditions.ts';
import { type Conditions, renewCondition, setCondition } from './conditions.ts';
import { type DeploymentView, wantedOf } from './view.ts';

/** What the step just done means for the condition. */
export type RolloutEvent =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'created'; readonly set: string }
  | { readonly kind: 'create-failed'; readonly message: string };

/** Pods of a Deployment, all its sets together. */
export interface ReplicaCounts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

/** The largest 32-bit number stands for: no deadline. */
const noDeadlineSeconds = 2_147_483_647;

/** The conditions with the Progressing one as it is now; without it where no deadline is set. */
export function progressing(conditions: Conditions, view: DeploymentView, counts: ReplicaCounts, event: RolloutEvent): Conditions {
  const { deployment, current, nowMs } = view;
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing');
  const before = findCondition(conditions, 'Progressing');
  const next = (status: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({
    type: 'Progressing',
    status,
    reason,
    message,
  });
  const set = (...said: Parameters<typeof next>): Conditions => setCondition(conditions, nowMs, next(...said));

  if (deployment.spec.paused === true) {
    // That it got stuck is worth more than that it is paused.
    return before?.reason === 'ProgressDeadlineExceeded' ? conditions : set('Unknown', 'DeploymentPaused', 'Deployment is paused');
  }
  if (before?.reason === 'DeploymentPaused') return set('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  if (event.kind === 'created') return set('True', 'NewReplicaSetCreated', `Created new replica set "${event.set}"`);
  if (event.kind === 'create-failed') return set('False', 'ReplicaSetCreateError', event.message);
  if (before === undefined && current !== undefined)
    return set('True', 'FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`);

  // A finished rollout stays finished, whatever becomes of its pods, until there are pods of another template.
  if (counts.replicas === counts.updatedReplicas && before?.reason === 'NewReplicaSetAvailable') return conditions;
  const subject = current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`;
  if (isComplete(deployment, counts)) return set('True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`);
  if (hasProgressed(deployment.status ?? {}, counts)) {
    // Renewed also when it says the same: the deadline counts from the last progress.
    return renewCondition(conditions, nowMs, next('True', 'ReplicaSetUpdated', `${subject} is progressing.`));
  }
  if (!isTimedOut(before, deployment, nowMs)) return conditions;
  return set('False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`);
}

/** After how many milliseconds the deadline may pass; undefined when none runs. */
export function progressDeadlineInMs(
  conditions: Conditions,
  { deployment, nowMs }: DeploymentView,
  counts: ReplicaCounts,
): number | undefined {
  const condition = findCondition(conditions, 'Progressing');
  if (!hasDeadline(deployment) || deployment.spec.paused === true || condition === undefined) return undefined;
  if (isComplete(deployment, counts) || ['NewReplicaSetAvailable', 'ProgressDeadlineExceeded'].includes(condition.reason ?? ''))
    return undefined;
  // A second more, since times on the wire are whole seconds.
  return Math.max(0, deadlineMs(condition, deployment) - nowMs) + 1_000;
}

/** True when all wanted replicas are of the current template and available, and no other is left. */
function isComplete(deployment: Deployment, counts: ReplicaCounts): boolean {
  const wanted = wantedOf(deployment);
  return counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted;
}

function hasProgressed(was: V1DeploymentStatus, now: ReplicaCounts): boolean {
  const oldBefore = (was.replicas ?? 0) - (was.updatedReplicas ?? 0);
  return (
    now.updatedReplicas > (was.updatedReplicas ?? 0) ||
    now.replicas - now.updatedReplicas < oldBefore ||
    now.readyReplicas > (was.readyReplicas ?? 0) ||
    now.availableReplicas > (was.availableReplicas ?? 0)
  );
}

function isTimedOut(condition: V1DeploymentCondition | undefined, deployment: Deployment, nowMs: number): boolean {
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  return condition.reason === 'ProgressDeadlineExceeded' || deadlineMs(condition, deployment) < nowMs;
}

function deadlineMs({ lastUpdateTime }: V1DeploymentCondition, { spec }: Deployment): number {
  return (Date.parse(lastUpdateTime ?? '') || 0) + (spec.progressDeadlineSeconds ?? 600) * 1_000;
}

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadlineSeconds;
}
