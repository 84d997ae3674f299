import { expect, test } from 'vitest';
import type { KubeObject } from '#api/meta/object.ts';
import { joinObject, lazyObject, splitObject } from './split-object.ts';

const object = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'a', labels: { long: 'x'.repeat(50) }, creationTimestamp: null },
  data: { text: 'y'.repeat(50), number: '1' },
  immutable: true,
} as unknown as KubeObject;

const text = JSON.stringify(object);

test('an object is the same in parts, in the same order', () => {
  const split = splitObject(object, 30);
  expect(split.parts.map(({ of, key }) => `${of} ${key}`)).toEqual(['object data', 'metadata labels']);
  expect(Buffer.from(split.rest).toString()).not.toContain('yyy');
  expect(JSON.stringify(joinObject(split))).toBe(text);
  expect(JSON.stringify(lazyObject(split))).toBe(text);
  expect(splitObject(object).parts).toEqual([]);
});

test('what nobody has looked at is handed on as it came', () => {
  const split = splitObject(object, 30);
  const lazy = lazyObject(split) as KubeObject & { data: Record<string, string> };
  expect(splitObject(lazy).parts).toEqual(split.parts);
  lazy.data['number'] = '2';
  const again = splitObject(lazy);
  expect(again.parts.map(({ key }) => key)).toEqual(['labels']);
  expect(joinObject(again)).toMatchObject({ data: { number: '2' }, metadata: { labels: { long: 'x'.repeat(50) } } });
});

test('members can be set and deleted before they are read', () => {
  const lazy = lazyObject(splitObject(object, 30)) as KubeObject & { data?: Record<string, string> };
  lazy.metadata.labels = { a: 'b' };
  delete lazy.data;
  expect(JSON.stringify(lazy)).toBe(JSON.stringify({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } }, data: undefined }));
});
