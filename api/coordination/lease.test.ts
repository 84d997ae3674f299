import { expect, test } from 'vitest';
import { createProblems, decoded } from '../testing.ts';
import { type Lease, lease } from './lease.ts';

const create = { verb: 'create', subresource: '', nowMs: 0 } as const;
const update = { ...create, verb: 'update' } as const;
const wishes = 'metadata: {name: a, namespace: b}\nspec: {holderIdentity: me, strategy: OldestEmulationVersion, preferredHolder: you}';

test('what asks for coordinated leaders is dropped from new leases', () => {
  const object = decoded(lease, wishes);
  lease.prepareCreate?.(object, create);
  expect(object.spec).toEqual({ holderIdentity: 'me' });
  expect(createProblems(lease, 'metadata: {name: a, namespace: b}\nspec: {preferredHolder: you}')).toEqual([]);
});

test('and stays where it was already', () => {
  const prev = decoded(lease, wishes);
  const next: Lease = { ...prev, spec: { ...prev.spec, preferredHolder: 'other' } };
  lease.prepareUpdate?.(next, prev, update);
  expect(next.spec).toMatchObject({ strategy: 'OldestEmulationVersion', preferredHolder: 'other' });
  delete next.spec?.strategy;
  expect(lease.validate?.(next, update)).toMatchObject([
    { field: 'spec.preferredHolder', message: 'Forbidden: may only be specified if `strategy` is defined' },
  ]);
  const plain = decoded(lease, 'metadata: {name: a, namespace: b}\nspec: {holderIdentity: me}');
  lease.prepareUpdate?.(next, plain, update);
  expect(next.spec).toEqual({ holderIdentity: 'me' });
});
