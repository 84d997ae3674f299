import { expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import type { KindDefinition } from '#api/kind.ts';
import { CachedObject } from './cached-object.ts';
import { DecodedObjects } from './decoded-objects.ts';
import { encodeStored, servedForm } from './served-form.ts';

const form = servedForm(configMap as unknown as KindDefinition);

function modified(): CachedObject {
  const bytes = encodeStored(form, { metadata: { name: 'a', namespace: 'b' } });
  return new CachedObject({ form, key: 'b/a', bytes, revision: 7, createRevision: 5, decoded: new DecodedObjects() });
}

test('whom an object is new to shares its decoded form with all others', () => {
  const object = modified();
  const { encoded, line } = object.frame('ADDED', 7);
  expect(encoded.object()).toBe(object.object());
  expect(JSON.parse(line.toString())).toEqual({ type: 'ADDED', object: object.object() });
});

test('a deletion shows its own revision', () => {
  const object = modified();
  expect(object.frame('DELETED', 9).encoded.object()).toEqual({
    ...object.object(),
    metadata: { name: 'a', namespace: 'b', resourceVersion: '9' },
  });
});
