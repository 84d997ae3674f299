import { describe, expect, test } from 'vitest';
import type { Namespace } from '#api/core/namespace.ts';
import { nowMs, secondsAgo } from '../builders.ts';
import { isEmptied, nextLookMs, type Remainder, terminatingConditions } from './plan.ts';

const nothing: Remainder = { resource: 'pods.', count: 0, finalizers: {}, graceSeconds: 0, failure: undefined };
const left = (rest: Partial<Remainder>): Remainder => ({ ...nothing, ...rest });
const going = (conditions: object[] = []): Namespace =>
  ({ metadata: { name: 'going' }, status: { phase: 'Terminating', conditions } }) as Namespace;

test.each<[graceSeconds: number[], ms: number]>([
  [[], 1_000],
  [[0], 1_000],
  [[30], 16_000],
  [[1, 30, 5], 16_000],
])('with grace periods of %j the next look is in %i ms', (graceSeconds, ms) => {
  expect(nextLookMs(graceSeconds.map((seconds) => left({ graceSeconds: seconds })))).toBe(ms);
});

test('a namespace is emptied when nothing is left and nothing failed', () => {
  expect(isEmptied([nothing, nothing])).toBe(true);
  expect(isEmptied([nothing, left({ count: 1 })])).toBe(false);
  expect(isEmptied([nothing, left({ failure: 'refused' })])).toBe(false);
});

describe('conditions', () => {
  const say = (object: Namespace, remainders: readonly Remainder[]) =>
    terminatingConditions(object, remainders, nowMs).map(({ type, status, reason, message }) => [type, status, reason, message]);

  test('of a namespace without trouble', () => {
    expect(say(going(), [nothing])).toEqual([
      ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
      ['NamespaceDeletionGroupVersionParsingFailure', 'False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      ['NamespaceDeletionContentFailure', 'False', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
      ['NamespaceContentRemaining', 'False', 'ContentRemoved', 'All content successfully removed'],
      ['NamespaceFinalizersRemaining', 'False', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ]);
  });

  test('of one that is held', () => {
    const remainders = [
      left({ count: 2, finalizers: { 'example.com/a': 2 } }),
      left({ resource: 'deployments.apps', count: 1, finalizers: { 'example.com/a': 1, foregroundDeletion: 1 }, failure: 'no' }),
    ];
    expect(say(going(), remainders).slice(2)).toEqual([
      ['NamespaceDeletionContentFailure', 'True', 'ContentDeletionFailed', 'Failed to delete all resource types, 1 remaining: no'],
      [
        'NamespaceContentRemaining',
        'True',
        'SomeResourcesRemain',
        'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
      ],
      [
        'NamespaceFinalizersRemaining',
        'True',
        'SomeFinalizersRemain',
        'Some content in the namespace has finalizers remaining: example.com/a in 3 resource instances, foregroundDeletion in 1 resource instances',
      ],
    ]);
  });

  test('that say the same stay untouched, and others keep their place', () => {
    const before = terminatingConditions(going(), [left({ count: 2 })], nowMs - 5_000);
    expect(terminatingConditions(going(before), [left({ count: 2 })], nowMs)).toEqual(before);
    const after = terminatingConditions(going(before), [nothing], nowMs);
    expect(after.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      ...[0, 1, 2].map(() => secondsAgo(5)),
      secondsAgo(0),
      secondsAgo(5),
    ]);
  });
});
