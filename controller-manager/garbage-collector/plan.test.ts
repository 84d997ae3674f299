import { describe, expect, test } from 'vitest';
import type { V1ObjectMeta } from '#api/generated/types.ts';
import { ownedBy } from '../builders.ts';
import {
  foregroundFinalizer,
  isHeldForDependents,
  orphanFinalizer,
  type OwnerState,
  planDependent,
  planOwner,
  unblockedOwners,
} from './plan.ts';

const going = '2026-01-01T00:00:00Z';
const child: V1ObjectMeta = { name: 'child' };
const waitingChild: V1ObjectMeta = { name: 'child', deletionTimestamp: going, finalizers: [foregroundFinalizer] };
const foreground = { kind: 'delete', propagation: 'Foreground', unblock: false };
const background = { kind: 'delete', propagation: 'Background', unblock: false };

test.each<[why: string, owners: OwnerState[], finalizers: string[], dependents: V1ObjectMeta[], expected: object]>([
  ['nobody owns it', [], [], [], { kind: 'keep' }],
  ['its owner is there', ['solid'], [], [], { kind: 'keep' }],
  ['its owner is gone', ['absent'], [], [], background],
  ['one of two is gone', ['solid', 'absent'], [], [], { kind: 'disown', uids: ['o1'] }],
  ['one of two waits for it', ['waiting', 'solid'], [], [], { kind: 'disown', uids: ['o0'] }],
  ['its owner waits for it', ['waiting'], [], [], background],
  ['its owner waits, and it has dependents', ['waiting'], [], [child], foreground],
  ['its owner is gone, and it has dependents', ['absent'], [], [child], background],
  ['in a circle', ['waiting'], [], [waitingChild], { ...foreground, unblock: true }],
  ['its dependents are to be orphaned', ['absent'], [orphanFinalizer], [child], { ...background, propagation: 'Orphan' }],
  ['it has to outlive its dependents', ['absent'], [foregroundFinalizer], [child], foreground],
  ['other finalizers say nothing', ['absent'], ['example.com/hold'], [], background],
])('%s', (_why, states, finalizers, dependents, expected) => {
  const owners = states.map((state, at) => ({ reference: ownedBy(`o${at}`), state }));
  expect(planDependent({ owners, finalizers, dependents })).toEqual(expected);
});

describe('an owner', () => {
  const blocking: V1ObjectMeta = { name: 'child', ownerReferences: [ownedBy('owner')] };
  const harmless: V1ObjectMeta = { name: 'child', ownerReferences: [{ ...ownedBy('owner'), blockOwnerDeletion: false }] };
  test.each<[why: string, owner: V1ObjectMeta, dependents: V1ObjectMeta[], expected: string]>([
    ['that stays', { finalizers: [foregroundFinalizer] }, [blocking], 'keep'],
    ['that goes without asking', { deletionTimestamp: going }, [blocking], 'keep'],
    ['that waits for a dependent', { deletionTimestamp: going, finalizers: [foregroundFinalizer] }, [harmless, blocking], 'wait'],
    ['that nobody holds up', { deletionTimestamp: going, finalizers: [foregroundFinalizer] }, [harmless], 'release'],
    ['that has none', { deletionTimestamp: going, finalizers: [foregroundFinalizer] }, [], 'release'],
    ['that leaves orphans', { deletionTimestamp: going, finalizers: [orphanFinalizer] }, [blocking], 'orphan'],
    ['that is told both', { deletionTimestamp: going, finalizers: [foregroundFinalizer, orphanFinalizer] }, [blocking], 'orphan'],
  ])('%s', (_why, owner, dependents, expected) => {
    expect(planOwner({ uid: 'owner', ...owner }, dependents).kind).toBe(expected);
    expect(isHeldForDependents(owner)).toBe(expected !== 'keep');
  });
});

test('owners are unblocked by a reference that goes, or blocks no more', () => {
  const before: V1ObjectMeta = { ownerReferences: ['a', 'b', 'c'].map((uid) => ownedBy(uid)) };
  const now: V1ObjectMeta = { ownerReferences: [ownedBy('a'), { ...ownedBy('b'), blockOwnerDeletion: false }] };
  expect(unblockedOwners(before, now).map(({ uid }) => uid)).toEqual(['b', 'c']);
  expect(unblockedOwners(now, before)).toEqual([]);
  expect(unblockedOwners({}, before)).toEqual([]);
});
