import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RawJson } from '#api/schema/raw-json.ts';
import { parseObject } from './decoded-objects.ts';
import { metadataJson, shownMetadata, shownObject } from './shown-object.ts';

const own = { 'f:metadata': { 'f:labels': { '.': {}, 'k:{"a":"]}"}': {}, 'f:fieldsV1': {} } } };
const owner = { manager: 'kubectl "x"', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: own, subresource: 'status' };
const another = { manager: 'none', operation: 'Apply' };

/** With what stayed JSON parsed. */
function unfolded(value: unknown): unknown {
  if (value instanceof RawJson) return JSON.parse(Buffer.from(value.bytes).toString());
  if (Array.isArray(value)) return value.map(unfolded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, unfolded(member)]));
}

function countRaw(value: unknown): number {
  if (value instanceof RawJson) return 1;
  return typeof value === 'object' && value !== null ? Object.values(value).reduce((sum: number, one) => sum + countRaw(one), 0) : 0;
}

function pod(metadata: object, rest: object = { spec: { nodeName: 'n' } }): Buffer {
  return Buffer.from(JSON.stringify({ kind: 'Pod', apiVersion: 'v1', metadata, ...rest }));
}

test.each<[name: string, json: Buffer, raw: number]>([
  ['one owner', pod({ name: 'a', managedFields: [owner] }), 1],
  ['several, one of which owns nothing', pod({ name: 'a', managedFields: [owner, another, owner] }), 2],
  ['owners before other members', pod({ managedFields: [owner], name: 'a' }), 1],
  ['no owner', pod({ name: 'a', managedFields: [] }), 0],
  ['nobody that owns', pod({ name: 'a', labels: { x: 'ü"' } }), 0],
  ['owners of something else', pod({ name: 'a' }, { data: { metadata: { managedFields: [owner] } } }), 0],
  ['a label of that name', pod({ labels: { managedFields: '[{"fieldsV1":{}}]' }, managedFields: [owner] }), 0],
  ['texts that look like it', pod({ annotations: { a: '"managedFields":[{' }, managedFields: [owner] }), 1],
  ['no metadata', Buffer.from('{"kind":"Status","apiVersion":"v1","code":404}'), 0],
  ['white space', Buffer.from('{"kind": "Pod", "metadata": {"managedFields": [{"fieldsV1": {"f:a": {}}}]}}'), 0],
])('an object with %s', (_name, json, raw) => {
  const object = shownObject({ json });
  expect(unfolded(object)).toEqual(parseObject(json));
  expect(countRaw(object)).toBe(raw);
  if (object.metadata === undefined) return;
  expect(unfolded(shownMetadata({ json }))).toEqual(parseObject(json).metadata);
  expect(JSON.parse(Buffer.from(metadataJson({ json })).toString())).toEqual(parseObject(json).metadata);
});

test('objects of any shape are what parsing makes of them', () => {
  const names = fc.constantFrom('managedFields', 'fieldsV1', 'metadata', 'a"b', 'é', 'name');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(names, fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const objects = fc.record({ metadata: fc.dictionary(names, value, { maxKeys: 4 }), spec: value }, { requiredKeys: ['metadata'] });
  fc.assert(
    fc.property(objects, (one) => {
      const json = pod(one.metadata, { spec: one.spec });
      expect(unfolded(shownObject({ json }))).toEqual(parseObject(json));
      expect(unfolded(shownMetadata({ json }))).toEqual(parseObject(json).metadata);
    }),
  );
});

test('an object that was decoded is not parsed again', () => {
  const decoded = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } };
  expect(shownObject({ json: Buffer.from('x'), decoded })).toBe(decoded);
  expect(shownMetadata({ json: Buffer.from('x'), decoded })).toBe(decoded.metadata);
});
