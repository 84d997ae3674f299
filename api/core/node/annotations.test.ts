import { expect, test } from 'vitest';
import { createProblems, updateProblems } from '../../testing.ts';
import { node } from './node.ts';

const at = 'metadata.annotations';
const avoid = 'scheduler.alpha.kubernetes.io/preferAvoidPods';
const taints = 'scheduler.alpha.kubernetes.io/taints';

function aNode(key: string, value: string): string {
  return JSON.stringify({ metadata: { name: 'a', annotations: { [key]: value } } });
}

function avoiding(podSignature: object): string {
  return aNode(avoid, JSON.stringify({ preferAvoidPods: [{ podSignature }] }));
}

test.each<[string, string, string[]]>([
  ['other annotations', aNode('a', 'b'), []],
  ['nothing to avoid', aNode(avoid, '{}'), []],
  ['pods of a controller', avoiding({ podController: { kind: 'ReplicaSet', controller: true } }), []],
  ['pods of nobody', avoiding({}), [`${at}.${avoid}[0].PodSignature: Required value`]],
  [
    'pods of an owner that is no controller',
    avoiding({ podController: { controller: false } }),
    [`${at}.${avoid}[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller`],
  ],
  ['not JSON', aNode(avoid, '{'), [`${at}.AvoidPods: Invalid value: "${avoid}": unexpected end of JSON input`]],
  ['old taints', aNode(taints, '[{"key": "a", "effect": "NoSchedule"}]'), []],
  [
    'old taints with a mistake',
    aNode(taints, '[{"Key": "a", "Effect": "Odd"}]'),
    [`${at}.${taints}[0].effect: Unsupported value: "Odd": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`],
  ],
  ['old taints, not JSON', aNode(taints, '['), [`${at}: Invalid value: "${taints}": unexpected end of JSON input`]],
])('%s', (_name, yaml, expected) => {
  expect(createProblems(node, yaml)).toEqual(expected);
});

test('ranges of pods and swap are judged when a node is new', () => {
  const range = 'metadata: {name: a}\nspec: {podCIDRs: [x]}';
  const wrong = 'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  expect(createProblems(node, range)).toEqual([wrong]);
  expect(updateProblems(node, 'metadata: {name: a}', (object) => void (object.spec = { podCIDRs: ['x'] }))).toEqual([]);
  const swap = 'metadata: {name: a}\nstatus: {nodeInfo: {swap: {capacity: 0}}}';
  expect(createProblems(node, swap)).toEqual(['metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero']);
  expect(updateProblems(node, swap, () => undefined)).toEqual([]);
});
