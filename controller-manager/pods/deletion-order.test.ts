import { expect, test } from 'vitest';
import { aPod, nowMs, type PodTraits } from '../builders.ts';
import { deletionOrder } from './deletion-order.ts';

const cost = (value: string) => ({ annotations: { 'controller.kubernetes.io/pod-deletion-cost': value } });

test.each<[why: string, first: PodTraits, second: PodTraits]>([
  ['unassigned before assigned', { node: '', phase: 'Pending' }, { phase: 'Pending' }],
  ['pending before running', { phase: 'Pending' }, { phase: 'Running' }],
  ['unknown before running', { phase: 'Unknown' }, { phase: 'Running' }],
  ['not ready before ready', {}, { readySeconds: 10 }],
  ['cheap before dear', { readySeconds: 90, ...cost('-5') }, { readySeconds: 10, ...cost('3') }],
  ['what is no number costs nothing', { readySeconds: 90, ...cost('+7') }, { readySeconds: 10, ...cost('1') }],
  ['ready for a shorter time', { readySeconds: 10 }, { readySeconds: 1_000 }],
  ['often restarted', { readySeconds: 10, restarts: 4 }, { readySeconds: 10, restarts: 1 }],
  ['young before old', { ageSeconds: 10 }, { ageSeconds: 1_000 }],
  ['of one order of magnitude: by uid', { ageSeconds: 100, uid: 'a' }, { ageSeconds: 110, uid: 'b' }],
])('%s', (_why, first, second) => {
  const pods = [aPod({ name: 'second', ...second }), aPod({ name: 'first', ...first })];
  expect(deletionOrder(pods, pods, nowMs).map(({ metadata }) => metadata.name)).toEqual(['first', 'second']);
});

test('a crowded node is thinned out, siblings counted', () => {
  const lonely = aPod({ name: 'lonely', node: 'n2', readySeconds: 10 });
  const crowded = aPod({ name: 'crowded', node: 'n1', readySeconds: 1_000 });
  const sibling = aPod({ name: 'sibling', node: 'n1', readySeconds: 10 });
  const finished = ['a', 'b'].map((name) => aPod({ name, node: 'n2', phase: 'Succeeded' }));
  expect(deletionOrder([lonely, crowded], [lonely, crowded, sibling, ...finished], nowMs)[0]).toBe(crowded);
});

test('restarts of sidecars count after those of containers', () => {
  const withSidecar = (name: string, count: number) => {
    const pod = aPod({ name, spec: { initContainers: [{ name: 'side', restartPolicy: 'Always' }] } });
    const status = { name: 'side', restartCount: count, image: '', imageID: '', ready: true };
    return { ...pod, status: { ...pod.status, initContainerStatuses: [status] } };
  };
  const pods = [withSidecar('calm', 0), withSidecar('restless', 3)];
  expect(deletionOrder(pods, pods, nowMs)[0]?.metadata.name).toBe('restless');
});
