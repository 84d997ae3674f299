import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Taint, V1Toleration } from '#api/generated/types.ts';
import { nowMs, secondsAgo } from '../builders.ts';
import { arrivalMs, type EvictionPlan, planEviction } from './taint-eviction.ts';

const key = 'node.kubernetes.io/unreachable';
const since = (seconds: number, rest: Partial<V1Taint> = {}): V1Taint => ({
  key,
  effect: 'NoExecute',
  timeAdded: secondsAgo(seconds),
  ...rest,
});
const bears = (rest: Partial<V1Toleration> = {}): V1Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', ...rest });
const keep = { kind: 'keep' } as const;
const evict = { kind: 'evict' } as const;

test.each<[why: string, tolerations: V1Toleration[], taints: V1Taint[], expected: EvictionPlan]>([
  ['no taint', [], [], keep],
  ['a taint that only keeps new pods away', [], [since(10, { effect: 'NoSchedule' })], keep],
  ['no toleration', [], [since(10)], evict],
  ['a toleration for ever', [bears()], [since(10)], keep],
  ['a toleration of everything', [{ operator: 'Exists' }], [since(10)], keep],
  ['a toleration for a while', [bears({ tolerationSeconds: 300 })], [since(10)], { kind: 'wait', ms: 290_000 }],
  [
    'a taint that does not say since when',
    [bears({ tolerationSeconds: 300 })],
    [{ key, effect: 'NoExecute' }],
    { kind: 'wait', ms: 280_000 },
  ],
  ['its time is over, since it is known', [bears({ tolerationSeconds: 20 })], [{ key, effect: 'NoExecute' }], evict],
  ['its time is over', [bears({ tolerationSeconds: 300 })], [since(300)], evict],
  ['no time at all', [bears({ tolerationSeconds: 0 })], [since(0)], evict],
  ['less than no time', [bears({ tolerationSeconds: -5 })], [since(0)], evict],
  ['another key', [bears({ key: 'other' })], [since(10)], evict],
  ['another effect', [bears({ effect: 'NoSchedule' })], [since(10)], evict],
  ['any effect', [bears({ effect: '' })], [since(10)], keep],
  ['the same value', [bears({ operator: 'Equal', value: 'a' })], [since(10, { value: 'a' })], keep],
  ['another value', [bears({ operator: 'Equal', value: 'b' })], [since(10, { value: 'a' })], evict],
  ['one of two taints', [bears()], [since(10), since(10, { key: 'other' })], evict],
  ['the first that fits counts', [bears(), bears({ tolerationSeconds: 5 })], [since(10)], keep],
  [
    'the shortest of two',
    [bears({ tolerationSeconds: 300 }), bears({ key: 'other', tolerationSeconds: 60 })],
    [since(10), since(20, { key: 'other' })],
    { kind: 'wait', ms: 40_000 },
  ],
])('%s', (_why, tolerations, taints, expected) => {
  expect(planEviction(tolerations, taints, { nowMs, sinceMs: nowMs - 20_000, arrivedMs: nowMs - 1_000_000 })).toEqual(expected);
});

test('a pod that came to a node long tainted has its whole time', () => {
  const left = (times: { sinceMs: number; arrivedMs: number }) =>
    planEviction([bears({ tolerationSeconds: 300 })], [since(3_600)], { nowMs, ...times });
  expect(left({ sinceMs: nowMs, arrivedMs: nowMs - 10_000 })).toEqual({ kind: 'wait', ms: 290_000 });
  // The server's clock is ahead.
  expect(left({ sinceMs: nowMs - 20_000, arrivedMs: nowMs + 60_000 })).toEqual({ kind: 'wait', ms: 280_000 });
});

test.each<[why: string, status: object, seconds: number]>([
  ['bound', { conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: secondsAgo(5) }] }, 5],
  ['made for its node', {}, 60],
  ['still unbound by what is said', { conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime: secondsAgo(5) }] }, 60],
])('a pod that was %s', (_why, status, seconds) => {
  const pod = { metadata: { creationTimestamp: secondsAgo(60) }, spec: { containers: [] }, status } as unknown as Pod;
  expect(arrivalMs(pod)).toBe(nowMs - seconds * 1_000);
});
