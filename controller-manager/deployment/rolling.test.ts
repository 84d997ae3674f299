import { describe, expect, test } from 'vitest';
import { aDeployment, aSet, nowMs, type SetTraits } from '../builders.ts';
import { planRolling } from './rolling.ts';
import { rollingBounds, viewOf } from './view.ts';

type Bounds = { maxSurge: number | string; maxUnavailable: number | string };
const rolling = (replicas: number, rollingUpdate: Bounds) =>
  aDeployment({
    replicas,
    template: aSet({ image: 'web:2' }).spec.template ?? {},
    strategy: { type: 'RollingUpdate', rollingUpdate },
  } as never);

/** Sizes that sets get, by name. */
function sizes(replicas: number, bounds: Bounds, sets: readonly SetTraits[]): Record<string, number> {
  const view = viewOf(
    rolling(replicas, bounds),
    sets.map((traits) => aSet(traits)),
    nowMs,
  );
  return Object.fromEntries(planRolling(view).map((step) => (step.do === 'scale' ? [step.set.metadata.name, step.size] : ['?', 0])));
}

const old = (rest: SetTraits): SetTraits => ({ name: 'old', image: 'web:1', ageSeconds: 100, ...rest });
const current = (rest: SetTraits): SetTraits => ({ name: 'new', image: 'web:2', ...rest });

test.each<[why: string, replicas: number, bounds: Bounds, sets: SetTraits[], expected: Record<string, number>]>([
  ['the new set grows by the surge', 10, { maxSurge: 3, maxUnavailable: 0 }, [old({ size: 10 }), current({})], { new: 3 }],
  ['percentages are rounded up', 10, { maxSurge: '25%', maxUnavailable: 0 }, [old({ size: 10 }), current({})], { new: 3 }],
  [
    'a full house waits for available pods',
    10,
    { maxSurge: 2, maxUnavailable: 0 },
    [old({ size: 10 }), current({ size: 2, available: 0 })],
    {},
  ],
  ['available new pods let old ones go', 10, { maxSurge: 2, maxUnavailable: 0 }, [old({ size: 10 }), current({ size: 2 })], { old: 8 }],
  ['some may be missing', 10, { maxSurge: 0, maxUnavailable: '20%' }, [old({ size: 10 }), current({})], { old: 8 }],
  [
    'the oldest goes first',
    4,
    { maxSurge: 1, maxUnavailable: 1 },
    [old({ size: 2 }), { name: 'middle', image: 'web:x', size: 2, ageSeconds: 50 }, current({ size: 1 })],
    { old: 0 },
  ],
  [
    'unavailable old pods go at once',
    10,
    { maxSurge: 2, maxUnavailable: 2 },
    [old({ size: 8, available: 4 }), current({ size: 4, available: 4 })],
    { old: 4 },
  ],
  [
    'but no more than the new set leaves room for',
    10,
    { maxSurge: 2, maxUnavailable: 2 },
    [old({ size: 8, available: 0 }), current({ size: 4, available: 0 })],
    {},
  ],
  ['a new set that is too large shrinks', 3, { maxSurge: 1, maxUnavailable: 0 }, [current({ size: 5 })], { new: 3 }],
  ['a finished one stays', 3, { maxSurge: 1, maxUnavailable: 0 }, [old({ size: 0 }), current({ size: 3 })], {}],
  ['none wanted: old ones go', 0, { maxSurge: 1, maxUnavailable: 0 }, [old({ size: 2 }), current({})], { old: 0 }],
])('%s', (_why, replicas, bounds, sets, expected) => {
  expect(sizes(replicas, bounds, sets)).toEqual(expected);
});

describe('bounds', () => {
  test.each<[replicas: number, bounds: Bounds, maxSurge: number, maxUnavailable: number]>([
    [10, { maxSurge: '25%', maxUnavailable: '25%' }, 3, 2],
    [1, { maxSurge: '25%', maxUnavailable: '25%' }, 1, 0],
    [10, { maxSurge: 0, maxUnavailable: '1%' }, 0, 1],
    [2, { maxSurge: 1, maxUnavailable: 5 }, 1, 2],
    [0, { maxSurge: '25%', maxUnavailable: '25%' }, 0, 0],
  ])('of %i with %j', (replicas, bounds, maxSurge, maxUnavailable) => {
    expect(rollingBounds(rolling(replicas, bounds))).toEqual({ maxSurge, maxUnavailable });
  });

  test('Recreate has none', () => {
    expect(rollingBounds(aDeployment({ strategy: { type: 'Recreate' } }))).toEqual({ maxSurge: 0, maxUnavailable: 0 });
  });
});
