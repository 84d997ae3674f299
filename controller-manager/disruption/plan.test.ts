import { expect, test } from 'vitest';
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { aPod, nowMs, secondsAgo } from '../builders.ts';
import { type Count, countHealthy, expectedOf, failedStatus, needsScales, nextStatus, pendingEvictions, planStale } from './plan.ts';

const aBudget = (spec: PodDisruptionBudget['spec'], status: Partial<PodDisruptionBudget['status']> = {}): PodDisruptionBudget => ({
  metadata: { name: 'budget', namespace: 'default', generation: 2 },
  spec,
  status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0, ...status },
});

test.each<[what: string, spec: PodDisruptionBudget['spec'], scales: boolean, pods: number, healthy: number]>([
  ['a minimum is of the pods that there are', { minAvailable: 2 }, false, 4, 2],
  ['a minimum may be more than there are', { minAvailable: 9 }, false, 4, 9],
  ['a share is of what owners ask for, rounded up', { minAvailable: '28%' }, true, 10, 3],
  ['a maximum leaves the rest', { maxUnavailable: 3 }, true, 10, 7],
  ['a share that may be missing is rounded up too', { maxUnavailable: '31%' }, true, 10, 6],
  ['more may be missing than there are', { maxUnavailable: 12 }, true, 10, 0],
  ['nothing said, nothing expected', {}, false, 0, 0],
])('%s', (_what, spec, scales, pods, healthy) => {
  expect(needsScales(aBudget(spec))).toBe(scales);
  expect(expectedOf(aBudget(spec), 4, 10)).toEqual({ pods, healthy });
});

test('an eviction is waited for while its pod is there and stays, for two minutes', () => {
  const budget = aBudget(
    {},
    { disruptedPods: { waits: secondsAgo(20), later: secondsAgo(5), goes: secondsAgo(20), stays: secondsAgo(121), gone: secondsAgo(20) } },
  );
  const stays = aPod({ name: 'stays', readySeconds: 60 });
  const pods = [
    aPod({ name: 'waits', readySeconds: 60 }),
    aPod({ name: 'later', readySeconds: 60 }),
    aPod({ name: 'goes', readySeconds: 60, isGoing: true }),
    stays,
    aPod({ name: 'other', readySeconds: 60 }),
    aPod({ name: 'unready' }),
  ];
  const evictions = pendingEvictions(pods, budget, nowMs);
  expect(evictions).toEqual({ disruptedPods: { waits: secondsAgo(20), later: secondsAgo(5) }, overdue: [stays], recheckMs: 100_000 });
  expect(countHealthy(pods, evictions)).toBe(2);
});

const none = { disruptedPods: {}, overdue: [], recheckMs: undefined };

test.each<[what: string, count: Partial<Count>, allowed: number, reason: string]>([
  ['what is more than enough may go', { currentHealthy: 5 }, 2, 'SufficientPods'],
  ['just enough must stay', { currentHealthy: 3 }, 0, 'InsufficientPods'],
  ['too few must stay', { currentHealthy: 1 }, 0, 'InsufficientPods'],
  ['of pods that nobody expects none may go', { currentHealthy: 5, expected: { pods: 0, healthy: 0 } }, 0, 'InsufficientPods'],
])('%s', (_what, count, disruptionsAllowed, reason) => {
  const whole = { expected: { pods: 5, healthy: 3 }, currentHealthy: 0, evictions: none, ...count };
  const budget = aBudget({});
  const status = nextStatus(budget, whole, nowMs);
  expect(status).toEqual({
    currentHealthy: whole.currentHealthy,
    desiredHealthy: whole.expected.healthy,
    expectedPods: whole.expected.pods,
    disruptionsAllowed,
    observedGeneration: 2,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: disruptionsAllowed > 0 ? 'True' : 'False',
        reason,
        message: '',
        observedGeneration: 2,
        lastTransitionTime: secondsAgo(0),
      },
    ],
  });
  expect(nextStatus({ ...budget, ...(status === undefined ? {} : { status }) }, whole, nowMs + 1_000)).toBeUndefined();
});

test('evictions that are over are forgotten, and a changed budget is seen', () => {
  const count = { expected: { pods: 5, healthy: 3 }, currentHealthy: 5, evictions: none };
  const told = nextStatus(aBudget({}), count, nowMs);
  expect(nextStatus(aBudget({}, { ...told, disruptedPods: { gone: secondsAgo(9) } }), count, nowMs)).not.toHaveProperty('disruptedPods');
  expect(nextStatus(aBudget({}, { ...told, observedGeneration: 1 }), count, nowMs)).toMatchObject({ observedGeneration: 2 });
});

test('what cannot be counted allows nothing, and says why', () => {
  expect(failedStatus(aBudget({}, { disruptionsAllowed: 3, expectedPods: 4, observedGeneration: 2 }), 'no scale', nowMs)).toMatchObject({
    disruptionsAllowed: 0,
    expectedPods: 4,
    conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no scale', observedGeneration: 2 }],
  });
});

test.each<[what: string, seconds: number, reason: string, isGoing: boolean, phase: string, expected: object]>([
  ['a mark of just now', 20, 'EvictionByEvictionAPI', false, 'Running', { kind: 'wait', ms: 100_000 }],
  ['one of long ago', 120, 'EvictionByEvictionAPI', false, 'Running', { kind: 'clear' }],
  ['one of a pod that goes', 120, 'PreemptionByScheduler', true, 'Running', { kind: 'none' }],
  ['one of a pod that has ended', 120, 'PreemptionByScheduler', false, 'Failed', { kind: 'none' }],
  ['one of the node agent', 120, 'TerminationByKubelet', false, 'Running', { kind: 'none' }],
])('%s', (_what, seconds, reason, isGoing, phase, expected) => {
  const made = aPod({ isGoing });
  const target = { type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime: secondsAgo(seconds) };
  expect(planStale({ ...made, status: { phase, conditions: [target] } }, nowMs)).toEqual(expected);
  expect(planStale({ ...made, status: { phase, conditions: [{ ...target, status: 'False' }] } }, nowMs)).toEqual({ kind: 'none' });
});
