import { expect, test } from 'vitest';
import { nameIsDnsSubdomain } from './names.ts';
import type { ObjectMeta } from './object.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const rules = { namespaced: true, checkName: nameIsDnsSubdomain };
const texts = (problems: readonly { field: string; message: string }[]): string[] =>
  problems.map(({ field, message }) => `${field}: ${message}`);

test.each<[string, ObjectMeta, string[]]>([
  ['fine', { name: 'a', namespace: 'b', labels: { 'x/y': 'z' }, finalizers: ['a.b/c'] }, []],
  ['no name', { namespace: 'b' }, ['metadata.name: Required value: name or generateName is required']],
  ['no namespace', { name: 'a' }, ['metadata.namespace: Required value']],
  ['dotted namespace', { name: 'a', namespace: 'b.c' }, ['metadata.namespace: Invalid value: "b.c": must not contain dots']],
  [
    'annotations',
    { name: 'a', namespace: 'b', annotations: { a: 'x'.repeat(262_144) } },
    ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  [
    'owners',
    { name: 'a', namespace: 'b', ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: '', uid: 'u' }] },
    [
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  ],
  [
    'finalizers',
    { name: 'a', namespace: 'b', finalizers: ['orphan', 'foregroundDeletion'] },
    ['metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set'],
  ],
  [
    'managed fields',
    { name: 'a', namespace: 'b', managedFields: [{ operation: 'Patch', manager: 'm' }] },
    ['metadata.managedFields[0].operation: Invalid value: "Patch": must be `Apply` or `Update`'],
  ],
  [
    'managers that cannot be printed',
    { name: 'a', namespace: 'b', managedFields: [{ operation: 'Update', manager: 'é\n\u{e0001}' }] },
    [
      'metadata.managedFields[0].manager: Invalid value: "é\\n\\U000e0001": invalid character U+000A (at position 2)',
      'metadata.managedFields[0].manager: Invalid value: "é\\n\\U000e0001": invalid character U+E0001 (at position 3)',
    ],
  ],
])('%s', (_name, meta, expected) => {
  expect(texts(validateObjectMeta(meta, rules))).toEqual(expected);
});

test.each<[string, string[]]>([
  ['v1', []],
  ['apps/v1', []],
  ['', ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty']],
  ['apps/', ['metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty']],
  ['a/b/c', ['metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty']],
])('the version of an owner: %j', (apiVersion, expected) => {
  const owner = { apiVersion, kind: 'Thing', name: 'x', uid: 'y' };
  expect(texts(validateObjectMeta({ name: 'a', namespace: 'b', ownerReferences: [owner] }, rules))).toEqual(expected);
});

test('two controllers are one too many', () => {
  const owner = (name: string) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: name, controller: true });
  const [problem] = validateObjectMeta({ name: 'a', namespace: 'b', ownerReferences: [owner('x'), owner('y')] }, rules);
  expect(problem?.message).toMatch(
    /: Only one reference can have Controller set to true. Found "true" in references for ReplicaSet\/x and ReplicaSet\/y$/,
  );
});

test('cluster-scoped kinds have no namespace', () => {
  const problems = validateObjectMeta({ name: 'a', namespace: 'b' }, { ...rules, namespaced: false });
  expect(texts(problems)).toEqual(['metadata.namespace: Forbidden: not allowed on this type']);
});

const stored: ObjectMeta = {
  name: 'a',
  namespace: 'b',
  uid: 'u',
  resourceVersion: '5',
  creationTimestamp: '2026-01-01T00:00:00Z',
  generation: 3,
};

test.each<[string, ObjectMeta, ObjectMeta, string[]]>([
  ['same', stored, stored, []],
  ['uid', { ...stored, uid: 'x' }, stored, ['metadata.uid: Invalid value: "x": field is immutable']],
  ['generation', { ...stored, generation: 2 }, stored, ['metadata.generation: Invalid value: 2: must not be decremented']],
  [
    'no resourceVersion',
    { ...stored, resourceVersion: '' },
    stored,
    ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
  ],
  [
    'new finalizer while going',
    { ...stored, deletionTimestamp: 't', finalizers: ['b/c'] },
    { ...stored, deletionTimestamp: 't' },
    ['metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b/c"}'],
  ],
])('update: %s', (_name, next, prev, expected) => {
  expect(texts(validateObjectMetaUpdate(next, prev))).toEqual(expected);
});
