import { expect, test } from 'vitest';
import { aDeployment, aSet, aTemplate, nowMs } from '../builders.ts';
import { planRecreate } from './recreate.ts';
import { viewOf } from './view.ts';

const deployment = aDeployment({ strategy: { type: 'Recreate' }, template: aTemplate('web:2') });
const view = (size: number) => viewOf(deployment, [aSet({ name: 'old', size }), aSet({ name: 'new', image: 'web:2' })], nowMs);

test('first the old sets shrink', () => {
  const never = (): never => expect.unreachable('asked for pods');
  expect(planRecreate(view(2), never)).toMatchObject([{ do: 'scale', set: { metadata: { name: 'old' } }, size: 0 }]);
});

test('then it waits for the last old pod', () => {
  expect(planRecreate(view(0), () => true)).toEqual([]);
});

test('then the way is free', () => {
  expect(planRecreate(view(0), () => false)).toBeUndefined();
});
