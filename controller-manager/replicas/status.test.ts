import { describe, expect, test } from 'vitest';
import { aPod, nowMs, secondsAgo } from '../builders.ts';
import { replicaStatus, type ReplicaStatusView, sameReplicaStatus } from './status.ts';

const view: ReplicaStatusView = {
  generation: 4,
  minReadySeconds: 0,
  templateLabels: { app: 'web' },
  active: [],
  terminating: 0,
  previous: undefined,
  failure: undefined,
  nowMs,
};

test('counts pods by what they are', () => {
  const active = [
    aPod({ readySeconds: 100 }),
    aPod({ readySeconds: 4 }),
    aPod(),
    aPod({ labels: { app: 'web', old: '1' } }),
    aPod({ labels: {} }),
  ];
  expect(replicaStatus({ ...view, active, minReadySeconds: 10, terminating: 2 })).toEqual({
    status: {
      replicas: 5,
      fullyLabeledReplicas: 4,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 2,
      observedGeneration: 4,
    },
    changesInMs: 6_000,
  });
});

test('kinds that do not report terminating pods have no such field', () => {
  expect(replicaStatus({ ...view, terminating: undefined }).status).not.toHaveProperty('terminatingReplicas');
});

describe('the failure condition', () => {
  const failure = { verb: 'create', message: 'no quota' } as const;
  const condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: 'no quota',
    lastTransitionTime: secondsAgo(0),
  };

  test('appears with the first failure', () => {
    expect(replicaStatus({ ...view, failure }).status.conditions).toEqual([condition]);
  });

  test('keeps saying the first until a step succeeds', () => {
    const previous = { replicas: 0, conditions: [{ ...condition, message: 'the first' }] };
    expect(replicaStatus({ ...view, failure, previous }).status.conditions).toEqual(previous.conditions);
    expect(replicaStatus({ ...view, previous }).status).not.toHaveProperty('conditions');
  });
});

test.each<[what: string, a: object, b: object | undefined, same: boolean]>([
  ['counts of zero are absent on the wire', { readyReplicas: 0 }, {}, true],
  ['a status that is not there yet', {}, undefined, true],
  ['another count', { readyReplicas: 1 }, {}, false],
  ['no terminating pods are not the same as none counted', { terminatingReplicas: 0 }, {}, false],
])('%s', (_what, a, b, same) => {
  expect(sameReplicaStatus({ replicas: 1, ...a }, b === undefined && same ? { replicas: 1 } : { replicas: 1, ...b })).toBe(same);
});
