import { expect, test } from 'vitest';
import type { V1Toleration } from '#api/generated/types.ts';
import { mergeTolerations } from './merge-tolerations.ts';

const all: V1Toleration = { operator: 'Exists' };
const a: V1Toleration = { key: 'a', operator: 'Equal', value: 'x', effect: 'NoSchedule' };
const anyA: V1Toleration = { key: 'a', operator: 'Exists' };
const short: V1Toleration = { key: 'b', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
const long: V1Toleration = { ...short, tolerationSeconds: 10 };
const forever: V1Toleration = { key: 'b', operator: 'Exists', effect: 'NoExecute' };

test.each<[string, V1Toleration[], V1Toleration[], V1Toleration[]]>([
  ['none', [], [], []],
  ['different ones', [a], [short], [a, short]],
  ['equal ones', [a], [a], [a]],
  ['what the pod tolerates already', [anyA], [a], [anyA]],
  ['what the class widens', [a, short], [all], [all]],
  ['longer', [short], [long], [long]],
  ['for ever', [long], [forever], [forever]],
  ['another value', [a], [{ ...a, value: 'y' }], [a, { ...a, value: 'y' }]],
  ['another effect', [a], [{ ...anyA, effect: 'NoExecute' }], [a, { ...anyA, effect: 'NoExecute' }]],
  ['an operator left out', [{ key: 'a', value: 'x' }], [a], [{ key: 'a', value: 'x' }]],
])('%s', (_name, first, second, expected) => {
  expect(mergeTolerations(first, second)).toEqual(expected);
});
