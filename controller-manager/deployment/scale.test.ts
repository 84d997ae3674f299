import { expect, test } from 'vitest';
import { aDeployment, aSet, aTemplate, nowMs, type SetTraits } from '../builders.ts';
import { planScale } from './scale.ts';
import { viewOf } from './view.ts';

/** Sizes that sets get when the Deployment has this size; all sets remember `before` and a surge of 25 %. */
function sizes(replicas: number, before: number, sets: readonly SetTraits[], type = 'RollingUpdate'): Record<string, number> {
  const remembered = { desired: before, max: before + Math.ceil(before / 4) };
  const strategy = type === 'Recreate' ? { type } : { type, rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } };
  const deployment = aDeployment({ replicas, strategy, template: aTemplate('web:new') });
  const list = sets.map((traits) => aSet({ ...remembered, ...traits }));
  const steps = planScale(viewOf(deployment, list, nowMs));
  return Object.fromEntries(steps.map((step) => (step.do === 'scale' ? [step.set.metadata.name, step.size] : ['?', 0])));
}

const set = (name: string, size: number, rest: SetTraits = {}): SetTraits => ({ name, image: `web:${name}`, size, ...rest });

test.each<[why: string, replicas: number, before: number, sets: SetTraits[], expected: Record<string, number>]>([
  ['a single set takes all', 12, 10, [set('new', 10)], { new: 12 }],
  ['also an old one, while the new is empty', 12, 10, [set('a', 10), set('new', 0)], { a: 12 }],
  ['of empty sets the current one', 5, 0, [set('a', 0), set('new', 0)], { new: 5 }],
  ['without a current one the newest', 5, 0, [set('a', 0, { ageSeconds: 9 }), set('b', 0, { ageSeconds: 2 })], { b: 5 }],
  ['in the middle of a rollout, in proportion', 20, 10, [set('a', 8), set('new', 5)], { a: 15, new: 10 }],
  ['and down again', 5, 10, [set('a', 8), set('new', 5)], { a: 4, new: 3 }],
  [
    'equal sets: the newer gets more when growing',
    12,
    10,
    [set('a', 5, { ageSeconds: 9 }), set('b', 5, { ageSeconds: 2 })],
    { b: 9, a: 6 },
  ],
  ['to none', 0, 10, [set('a', 8), set('new', 5)], { a: 0, new: 0 }],
  ['a saturated new set lets the others go', 10, 10, [set('a', 3), set('new', 10)], { a: 0 }],
  ['a set that remembers nothing goes by what the Deployment has', 10, 0, [set('a', 4), set('new', 4)], { a: 4, new: 9 }],
])('%s', (_why, replicas, before, sets, expected) => {
  const ages = sets.map((traits, at) => ({ ageSeconds: 100 - at, ...traits }));
  expect(sizes(replicas, before, ages)).toEqual(expected);
});

test('Recreate shares nothing out', () => {
  expect(sizes(20, 10, [set('a', 8), set('new', 5)], 'Recreate')).toEqual({});
});

test('what is handed out adds up, whatever the proportions', () => {
  for (let replicas = 1; replicas < 60; replicas++) {
    const after = sizes(replicas, 10, [set('a', 7), set('b', 3, { ageSeconds: 3 }), set('new', 3)]);
    const sum = Object.values({ a: 7, b: 3, new: 3, ...after }).reduce((total, size) => total + size, 0);
    expect(sum).toBe(replicas + Math.ceil(replicas / 4));
  }
});
