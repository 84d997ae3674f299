import { expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import type { KindDefinition } from '#api/kind.ts';
import { isUnread, lazyObject, splitObject } from '../large/split-object.ts';
import { CachedObject } from './cached-object.ts';
import { DecodedObjects } from './decoded-objects.ts';
import { objectSelector } from './object-selector.ts';
import { encodeStored, servedForm } from './served-form.ts';
import { tooLong } from './skim.ts';

const form = servedForm(configMap as unknown as KindDefinition);

function withLabels(labels: Record<string, string>): CachedObject {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'b', labels } };
  const bytes = encodeStored(form, object);
  return new CachedObject({ form, key: 'b/a', bytes, revision: 7, createRevision: 7, decoded: new DecodedObjects() });
}

const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`example.com/label-${number}`, `v${number}`]));

test.each([
  ['example.com/label-9999', true],
  ['example.com/label-9999=v9999,example.com/label-0', true],
  ['example.com/label-9999=v1', false],
  ['example.com/label', false],
  ['!example.com/label', true],
  ['!example.com/label-5', false],
  ['example.com/label-5 in (v5,v6),app.kubernetes.io/name=web', true],
  ['app.kubernetes.io/name notin (web)', false],
])('labels too many to be kept are selected all the same: %s', (labelSelector, expected) => {
  const object = withLabels({ ...many, 'app.kubernetes.io/name': 'web' });
  expect(object.labels).toBe(tooLong);
  expect(objectSelector(form, { namespace: '', labelSelector, fieldSelector: '' }).matches(object)).toBe(expected);
});

test('labels that nobody has looked at are not looked at for being kept', () => {
  const decoded = new DecodedObjects();
  const object = lazyObject(splitObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', labels: many } }));
  const bytes = encodeStored(form, lazyObject(splitObject(object)));
  decoded.remember(bytes, object);
  const cached = new CachedObject({ form, key: 'b/a', bytes, revision: 7, createRevision: 7, decoded });
  expect(isUnread(object.metadata, 'labels')).toBe(true);
  expect(cached.labels).toBe(tooLong);
});

test('few labels are kept', () => {
  expect(withLabels({ a: 'b' }).labels).toEqual({ a: 'b' });
});
