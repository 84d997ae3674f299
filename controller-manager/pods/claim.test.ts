import { expect, test } from 'vitest';
import { replicaSet } from '#api/apps/replica-set.ts';
import { aPod, aSet, ownedBy, type PodTraits } from '../builders.ts';
import { adoptPatch, planClaims, releasePatch } from './claim.ts';

const owner = aSet({ name: 'mine' });
const going = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
const mine = ownedBy('uid-mine');
const other = { labels: { app: 'other' } };

test.each<[what: string, child: PodTraits, of: typeof owner, expected: 'mine' | 'adopt' | 'release' | 'nothing']>([
  ['its own that matches', { owner: mine }, owner, 'mine'],
  ['its own that matches no more', { owner: mine, ...other }, owner, 'release'],
  ['a stray that matches', {}, owner, 'adopt'],
  ['a stray that does not match', other, owner, 'nothing'],
  ['a stray that is going', { isGoing: true }, owner, 'nothing'],
  ["somebody else's", { owner: ownedBy('uid-other') }, owner, 'nothing'],
  ['one with an owner that controls nothing', { owner: { ...ownedBy('x'), controller: false } }, owner, 'adopt'],
  ['a stray, for an owner that is going', {}, going, 'nothing'],
  ['one that matches no more, for an owner that is going', { owner: mine, ...other }, going, 'nothing'],
  ['its own, for an owner that is going', { owner: mine }, going, 'mine'],
])('%s', (_what, traits, of, expected) => {
  const child = aPod(traits);
  const plan = planClaims({ owner: of, candidates: [child], matches: (labels) => labels['app'] === 'web' });
  const list = (name: string) => (name === expected ? [child] : []);
  expect(plan).toEqual({ mine: list('mine'), adopt: list('adopt'), release: list('release') });
});

test('patches name the child by its uid, so that no other of its name is meant', () => {
  const child = aPod({ uid: 'child' });
  expect(adoptPatch(replicaSet, owner, child)).toEqual({
    metadata: {
      uid: 'child',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'mine', uid: 'uid-mine', controller: true, blockOwnerDeletion: true },
      ],
    },
  });
  expect(releasePatch(owner, child)).toEqual({ metadata: { uid: 'child', ownerReferences: [{ $patch: 'delete', uid: 'uid-mine' }] } });
});
