import type { Deployment } from '#api/apps/deployment.ts';
import type { V1DeploymentCondition, V1DeploymentStatus } from '#api/generated/types.ts';
import { findCondition, withCondition, withoutCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';
import { all, availableOf, type DeploymentView, rollingBounds, sizeOf, sum, wantedOf } from './view.ts';

type Conditions = readonly V1DeploymentCondition[];

export interface StatusOutcome {
  readonly status: V1DeploymentStatus;
  /** After how many milliseconds the progress deadline may pass; undefined when none runs. */
  readonly deadlineInMs: number | undefined;
}

/** What the step just done means for the Progressing condition. */
export type Happened =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'created'; readonly set: string }
  | { readonly kind: 'create-failed'; readonly message: string };

/** The status of a Deployment with these sets (upstream's pkg/controller/deployment/progress.go and sync.go). */
export function deploymentStatus(view: DeploymentView, happened: Happened): StatusOutcome {
  const { deployment } = view;
  const counts = countReplicas(view);
  let conditions: Conditions = deployment.status?.conditions ?? [];
  conditions = availability(conditions, view, counts.availableReplicas);
  conditions = progress(conditions, view, counts, happened);
  conditions = failures(conditions, view);
  const status: V1DeploymentStatus = {
    ...nonZero(counts),
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    ...(conditions.length > 0 ? { conditions: [...conditions] } : {}),
  };
  return { status, deadlineInMs: deadlineInMs(conditions, view) };
}

type Counts = Required<
  Pick<
    V1DeploymentStatus,
    'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas' | 'terminatingReplicas'
  >
>;

function countReplicas(view: DeploymentView): Counts {
  const sets = all(view);
  const availableReplicas = sum(sets, availableOf);
  return {
    replicas: sum(sets, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: view.current?.status?.replicas ?? 0,
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(sets, sizeOf) - availableReplicas),
    terminatingReplicas: sum(sets, ({ status }) => status?.terminatingReplicas ?? 0),
  };
}

function nonZero(counts: Counts): Partial<Counts> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function availability(conditions: Conditions, { deployment, nowMs }: DeploymentView, available: number): Conditions {
  const isEnough = available >= wantedOf(deployment) - rollingBounds(deployment).maxUnavailable;
  return put(conditions, nowMs, {
    type: 'Available',
    status: isEnough ? 'True' : 'False',
    reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: isEnough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
  });
}

function progress(conditions: Conditions, view: DeploymentView, counts: Counts, happened: Happened): Conditions {
  const { deployment, current, nowMs } = view;
  if (!hasDeadline(deployment)) return withoutCondition([...conditions], 'Progressing');
  const before = findCondition([...conditions], 'Progressing');
  const say = (status: 'True' | 'False' | 'Unknown', reason: string, message: string): Conditions =>
    put(conditions, nowMs, { type: 'Progressing', status, reason, message });

  if (deployment.spec.paused === true) {
    return before?.reason === 'ProgressDeadlineExceeded' ? conditions : say('Unknown', 'DeploymentPaused', 'Deployment is paused');
  }
  if (before?.reason === 'DeploymentPaused') return say('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  if (happened.kind === 'created') return say('True', 'NewReplicaSetCreated', `Created new replica set "${happened.set}"`);
  if (happened.kind === 'create-failed') return say('False', 'ReplicaSetCreateError', happened.message);
  if (before === undefined && current !== undefined)
    return say('True', 'FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`);

  const was = deployment.status ?? {};
  const isSettled = counts.replicas === counts.updatedReplicas && before?.reason === 'NewReplicaSetAvailable';
  if (isSettled) return conditions;
  const subject = current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`;
  if (isComplete(deployment, counts)) return say('True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`);
  if (hasProgressed(was, counts)) {
    const next = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${subject} is progressing.` };
    // Put anew although status and reason may be the same: the deadline counts from the last progress.
    const keptTime = before?.status === 'True' ? before.lastTransitionTime : undefined;
    const others = withoutCondition([...conditions], 'Progressing');
    return [...others, { ...next, lastUpdateTime: timeText(nowMs), lastTransitionTime: keptTime ?? timeText(nowMs) }];
  }
  return isTimedOut(before, deployment, nowMs)
    ? say('False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`)
    : conditions;
}

function failures(conditions: Conditions, view: DeploymentView): Conditions {
  const failed = (view.current === undefined ? view.old : [view.current, ...view.old])
    .map(({ status }) => findCondition(status?.conditions, 'ReplicaFailure'))
    .find((condition) => condition?.status === 'True');
  if (failed === undefined) return withoutCondition([...conditions], 'ReplicaFailure');
  const { reason = '', message = '' } = failed;
  return put(conditions, view.nowMs, { type: 'ReplicaFailure', status: 'True', reason, message });
}

function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = wantedOf(deployment);
  return counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted;
}

function hasProgressed(was: V1DeploymentStatus, now: Counts): boolean {
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
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineMs(condition, deployment) < nowMs;
}

function deadlineInMs(conditions: Conditions, { deployment, nowMs }: DeploymentView): number | undefined {
  const condition = findCondition([...conditions], 'Progressing');
  if (!hasDeadline(deployment) || deployment.spec.paused === true || condition === undefined) return undefined;
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  // A second more, since times on the wire are whole seconds.
  return Math.max(0, deadlineMs(condition, deployment) - nowMs) + 1_000;
}

function deadlineMs(condition: V1DeploymentCondition, { spec }: Deployment): number {
  return (Date.parse(condition.lastUpdateTime ?? '') || 0) + (spec.progressDeadlineSeconds ?? 600) * 1_000;
}

/** The largest 32-bit number means: no deadline. */
function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2_147_483_647;
}

/** Sets a condition; one that says the same already stays untouched, times included. */
function put(conditions: Conditions, nowMs: number, next: V1DeploymentCondition): Conditions {
  const before = findCondition([...conditions], next.type);
  if (before?.status === next.status && before.reason === next.reason) return conditions;
  const now = timeText(nowMs);
  return withCondition([...conditions], { ...next, lastUpdateTime: now, lastTransitionTime: now });
}
