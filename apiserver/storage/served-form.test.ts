import { expect, test } from 'vitest';
import { pod as podKind } from '#api/core/pod/pod.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ownership } from '#api/patch/managed-fields.ts';
import { createCodec } from '#api/schema/codec.ts';
import { encodeStored, servedForm } from './served-form.ts';

const pod = podKind as unknown as KindDefinition;
const form = servedForm(pod);
const owners = ownership({ schema: createCodec().schemas.get(pod.schema), apiVersion: 'v1', kind: 'Pod' });
const write = { manager: 'm"\n', subresource: '', nowMs: 0 };

function aPod(more: object = {}): KubeObject {
  const spec = { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: '<"é">' }] }] };
  return { metadata: { name: 'a', labels: { 'a/b': 'c' } }, spec, ...more } as KubeObject;
}

function owned(object: KubeObject): KubeObject {
  owners.onUpdate(object, undefined, write);
  return object;
}

const second = { manager: 'n', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } };

test.each<[string, () => KubeObject]>([
  ['nobody owns', () => aPod()],
  ['one owns', () => owned(aPod())],
  ['one owns, with a version', () => owned(aPod({ kind: 'X', metadata: { name: 'a', resourceVersion: '7' } }))],
  ['one owns, without other metadata', () => owned(aPod({ metadata: {} }))],
  ['one owns, with nothing but metadata', () => owned({ metadata: { name: 'a', labels: { a: 'b' } } })],
  ['one owns fields read from the store', () => structuredClone(owned(aPod()))],
  [
    'two own',
    () => {
      const object = owned(aPod());
      object.metadata.managedFields?.push(second);
      return object;
    },
  ],
])('the bytes of an object that %s say what it says', (_name, make) => {
  const expected = structuredClone(make());
  delete expected.metadata.resourceVersion;
  const bytes = encodeStored(form, make(), owners);
  expect(bytes.subarray(0, form.head.length)).toEqual(form.head);
  expect(JSON.parse(bytes.toString())).toEqual({ ...expected, kind: 'Pod', apiVersion: 'v1' });
});

test('objects with the same fields share what is known of them', () => {
  const [one, other] = [owned(aPod()), owned(aPod({ metadata: { name: 'b', labels: { 'a/b': 'd' } } }))];
  const [mine] = one.metadata.managedFields ?? [];
  const [theirs] = other.metadata.managedFields ?? [];
  expect(mine?.fieldsV1).toBe(theirs?.fieldsV1);
  expect(owners.textOf(mine?.fieldsV1)).toBe(JSON.stringify(mine?.fieldsV1));
});
