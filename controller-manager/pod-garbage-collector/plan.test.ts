import { expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { aNode, aPod, type PodTraits } from '../builders.ts';
import { planPodCollection } from './plan.ts';

const off: Node = aNode({ Ready: 'Unknown' }, { spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] } });
const nodes = new Map([
  ['n1', aNode()],
  ['off', off],
]);
const collect = (traits: readonly PodTraits[], maxFinished = 2) =>
  planPodCollection({ pods: traits.map((one) => aPod(one)), nodes, lostNodes: new Set(['lost']), maxFinished }).map(
    ({ kind, pod }) => `${kind} ${pod.metadata.name}`,
  );

test.each<[why: string, pod: PodTraits, expected: string[]]>([
  ['a pod on its node', {}, []],
  ['one on a node that is not there yet', { node: 'unknown' }, []],
  ['one on a node that is gone', { node: 'lost' }, ['fail and delete p']],
  ['one that had finished there', { node: 'lost', phase: 'Succeeded' }, ['delete p']],
  ['one that waits for a node', { node: '', phase: 'Pending' }, []],
  ['one that goes before it had a node', { node: '', phase: 'Pending', isGoing: true }, ['delete p']],
  ['one that goes on its node', { isGoing: true }, []],
  ['one that goes on a machine that is off', { node: 'off', isGoing: true }, ['fail and delete p']],
  ['one that stays on a machine that is off', { node: 'off' }, []],
])('%s', (_why, pod, expected) => {
  expect(collect([pod])).toEqual(expected);
});

test('of too many finished pods the oldest go', () => {
  const finished = ['a', 'b', 'c', 'd'].map((name, at) => ({ name, phase: at % 2 === 0 ? 'Succeeded' : 'Failed', ageSeconds: at * 10 }));
  expect(collect([...finished, { name: 'running', ageSeconds: 999 }])).toEqual(['delete d', 'delete c']);
  expect(collect(finished, 0)).toEqual([]);
  expect(collect(finished, 4)).toEqual([]);
});
