import { describe, expect, test } from 'vitest';
import type { Deployment } from '#api/apps/deployment.ts';
import type { ReplicaSet } from '#api/apps/replica-set.ts';
import type { V1DeploymentStatus } from '#api/generated/types.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { aDeployment, aSet, aTemplate, nowMs, secondsAgo } from '../builders.ts';
import type { RolloutEvent } from './progress.ts';
import { deploymentStatus } from './status.ts';
import { viewOf } from './view.ts';

const nothing: RolloutEvent = { kind: 'nothing' };
const current = (rest: Parameters<typeof aSet>[0] = {}): ReplicaSet => aSet({ name: 'web-2', image: 'web:2', ...rest });
const deploymentWith = (status: V1DeploymentStatus = {}, spec: Partial<Deployment['spec']> = {}): Deployment =>
  aDeployment({ template: aTemplate('web:2'), ...spec }, { metadata: { name: 'web', uid: 'deployment', generation: 7 }, status });
const statusOf = (deployment: Deployment, sets: readonly ReplicaSet[], event: RolloutEvent = nothing) =>
  deploymentStatus(viewOf(deployment, sets, nowMs), event);
const progressed = (reason: string, seconds: number, status = 'True'): V1DeploymentStatus => ({
  conditions: [
    { type: 'Progressing', status, reason, message: '', lastUpdateTime: secondsAgo(seconds), lastTransitionTime: secondsAgo(seconds) },
  ],
});

test('counts the pods of all sets, and shows no zeros but of what is going', () => {
  const { status } = statusOf(deploymentWith(), [aSet({ size: 2, available: 1, ageSeconds: 9 }), current({ size: 2, replicas: 1 })]);
  expect(status).toMatchObject({
    observedGeneration: 7,
    replicas: 3,
    updatedReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 2,
    unavailableReplicas: 2,
    terminatingReplicas: 0,
  });
  const { status: empty } = statusOf(deploymentWith({}, { replicas: 0 }), [current()]);
  expect(Object.keys(empty)).toEqual(['terminatingReplicas', 'observedGeneration', 'conditions']);
});

test('how many are going is known only when every set says so', () => {
  const silent = current();
  delete silent.status?.terminatingReplicas;
  expect(statusOf(deploymentWith(), [aSet({ ageSeconds: 9 }), silent]).status).not.toHaveProperty('terminatingReplicas');
});

test.each<[available: number, status: string, reason: string]>([
  [3, 'True', 'MinimumReplicasAvailable'],
  [2, 'False', 'MinimumReplicasUnavailable'],
])('with %i of 3 available: %s', (available, status, reason) => {
  const conditions = statusOf(deploymentWith(), [current({ size: 3, available })]).status.conditions;
  expect(findCondition(conditions, 'Available')).toMatchObject({ status, reason });
});

describe('Progressing', () => {
  const half = [current({ size: 3, available: 1 })];
  const all = [current({ size: 3 })];
  test.each<[why: string, before: V1DeploymentStatus, sets: ReplicaSet[], event: RolloutEvent, expected: [string, string, string]]>([
    ['a set was made', {}, [], { kind: 'created', set: 'web-2' }, ['True', 'NewReplicaSetCreated', 'Created new replica set "web-2"']],
    ['a set could not be made', {}, [], { kind: 'create-failed', message: 'no' }, ['False', 'ReplicaSetCreateError', 'no']],
    ['a set was there', {}, half, nothing, ['True', 'FoundNewReplicaSet', 'Found new replica set "web-2"']],
    [
      'more pods are there than before',
      { ...progressed('NewReplicaSetCreated', 5), updatedReplicas: 3, replicas: 3 },
      half,
      nothing,
      ['True', 'ReplicaSetUpdated', 'ReplicaSet "web-2" is progressing.'],
    ],
    [
      'all are available',
      progressed('ReplicaSetUpdated', 5),
      all,
      nothing,
      ['True', 'NewReplicaSetAvailable', 'ReplicaSet "web-2" has successfully progressed.'],
    ],
    [
      'nothing happened for too long',
      { ...progressed('ReplicaSetUpdated', 601), updatedReplicas: 3, replicas: 3, readyReplicas: 1, availableReplicas: 1 },
      half,
      nothing,
      ['False', 'ProgressDeadlineExceeded', 'ReplicaSet "web-2" has timed out progressing.'],
    ],
    [
      'a finished rollout stays finished when pods fail',
      progressed('NewReplicaSetAvailable', 5_000),
      half,
      nothing,
      ['True', 'NewReplicaSetAvailable', ''],
    ],
    ['resumed', progressed('DeploymentPaused', 5, 'Unknown'), half, nothing, ['Unknown', 'DeploymentResumed', 'Deployment is resumed']],
  ])('%s', (_why, before, sets, event, [status, reason, message]) => {
    const { conditions } = statusOf(deploymentWith(before), sets, event).status;
    expect(findCondition(conditions, 'Progressing')).toMatchObject({ status, reason, message });
  });

  test('paused, unless it got stuck before', () => {
    const reasonAfter = (reason: string) =>
      findCondition(statusOf(deploymentWith(progressed(reason, 5), { paused: true }), half).status.conditions, 'Progressing')?.reason;
    expect(reasonAfter('ReplicaSetUpdated')).toBe('DeploymentPaused');
    expect(reasonAfter('ProgressDeadlineExceeded')).toBe('ProgressDeadlineExceeded');
  });

  test('further progress renews the time of the update, not that of the transition', () => {
    const before = { ...progressed('ReplicaSetUpdated', 50), updatedReplicas: 3, replicas: 3 };
    expect(findCondition(statusOf(deploymentWith(before), half).status.conditions, 'Progressing')).toMatchObject({
      lastUpdateTime: secondsAgo(0),
      lastTransitionTime: secondsAgo(50),
    });
  });

  test.each<[what: string, seconds: number | undefined]>([
    ['no deadline', undefined],
    ['the largest number', 2_147_483_647],
  ])('%s: no condition', (_what, seconds) => {
    const deployment = deploymentWith(progressed('ReplicaSetUpdated', 5));
    const { progressDeadlineSeconds: _old, ...spec } = deployment.spec;
    const without = { ...deployment, spec: seconds === undefined ? spec : { ...spec, progressDeadlineSeconds: seconds } };
    const { status, deadlineInMs } = statusOf(without, half);
    expect(findCondition(status.conditions, 'Progressing')).toBeUndefined();
    expect(deadlineInMs).toBeUndefined();
  });

  test('tells when the deadline may pass: a second more, since times are whole seconds', () => {
    const stuck = { ...progressed('ReplicaSetUpdated', 590), updatedReplicas: 3, replicas: 3, readyReplicas: 1, availableReplicas: 1 };
    expect(statusOf(deploymentWith(stuck), half).deadlineInMs).toBe(11_000);
    expect(statusOf(deploymentWith(stuck), all).deadlineInMs).toBeUndefined();
  });
});

test('shows why pods cannot be made, since when, and that it is over', () => {
  const failing = current({ size: 3, replicas: 0 });
  const condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: 'no quota',
    lastTransitionTime: secondsAgo(30),
  };
  const failed = { ...failing, status: { replicas: 0, ...failing.status, conditions: [condition] } };
  const { status } = statusOf(deploymentWith(), [failed]);
  expect(findCondition(status.conditions, 'ReplicaFailure')).toEqual({ ...condition, lastUpdateTime: secondsAgo(0) });
  expect(findCondition(statusOf(deploymentWith(status), [failing]).status.conditions, 'ReplicaFailure')).toBeUndefined();
});
