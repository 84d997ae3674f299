import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../meta/object.ts';
import { equalJson } from './json-object.ts';
import { applyMergePatch } from './merge-patch.ts';

test.each<[string, JsonObject, Json, Json]>([
  ['replaces', { a: 'b' }, { a: 'c' }, { a: 'c' }],
  ['adds', { a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  ['removes', { a: 'b', b: 1 }, { a: null }, { b: 1 }],
  ['removes nothing', { a: 1 }, { b: null }, { a: 1 }],
  ['lists are values', { a: ['b'] }, { a: 'c' }, { a: 'c' }],
  ['lists replace', { a: { b: 1 } }, { a: [1] }, { a: [1] }],
  ['merges inside', { a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  ['objects replace scalars', { a: 1 }, { a: { b: null, c: { d: null } } }, { a: { c: {} } }],
  ['nulls of new objects go', {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ['a list replaces the whole', { a: 1 }, [1, null, { b: null }], [1, null, {}]],
  [
    'a new list keeps its nulls',
    { a: 1, b: [1] },
    { a: [null, [null]], b: [null, { c: null }], d: { e: [null] } },
    { a: [null, [null]], b: [null, {}], d: { e: [null] } },
  ],
  ['a list in the place of an object keeps all', { a: { b: 1 } }, { a: [null, { c: null }] }, { a: [null, { c: null }] }],
  ['__proto__ is a key', {}, JSON.parse('{"__proto__":{"x":1}}') as Json, JSON.parse('{"__proto__":{"x":1}}') as Json],
])('%s', (_, document, patch, expected) => {
  const before = JSON.stringify([document, patch]);
  expect(JSON.stringify(applyMergePatch(document, patch))).toBe(JSON.stringify(expected));
  expect(JSON.stringify([document, patch])).toBe(before);
});

test.each<[Json]>([[null], [1], ['x']])('%j is no merge patch', (patch) => {
  expect(() => applyMergePatch({}, patch)).toThrow('Invalid JSON Patch');
});

test('a patch made of two documents turns one into the other, and once more changes nothing', () => {
  const key = fc.constantFrom('a', 'b', 'c', '__proto__');
  const { any } = fc.letrec<{ any: Json }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(1, 'x', false),
      fc.array(fc.integer(), { maxLength: 2 }),
      fc.dictionary(key, tie('any')),
    ),
  }));
  const object = fc.dictionary(key, any);
  fc.assert(
    fc.property(object, object, (from, to) => {
      const patch = difference(from, to);
      const result = applyMergePatch(from, patch) as JsonObject;
      expect(equalJson(result, to)).toBe(true);
      expect(equalJson(applyMergePatch(result, patch), to)).toBe(true);
    }),
  );
});

function difference(from: JsonObject, to: JsonObject): JsonObject {
  const entries: [string, Json][] = Object.keys(from)
    .filter((key) => !Object.hasOwn(to, key))
    .map((key) => [key, null]);
  for (const [key, value] of Object.entries(to)) {
    const was = Object.hasOwn(from, key) ? from[key] : undefined;
    entries.push([key, isPlain(value) && isPlain(was) ? difference(was, value) : value]);
  }
  return Object.fromEntries(entries);
}

function isPlain(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
