// Patches of every kind against objects of every shape: an outcome or a refusal, and the object that was patched stays as it was.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { createCodec } from '../schema/codec.ts';
import { randomObject } from '../schema/random-object.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

const codec = createCodec();
const pod = { group: '', version: 'v1', kind: 'Pod', schema: 'io.k8s.api.core.v1.Pod' };
const podSchema = codec.schemas.get(pod.schema);

/** What a patch makes of a document, or the code of its refusal. */
function outcome(document: JsonObject, patch: () => Json): Json | number {
  const before = JSON.stringify(document);
  try {
    return patch();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.code;
  } finally {
    expect(JSON.stringify(document)).toBe(before);
  }
}

// As it is read from a wire, which knows no -0.
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const document = fc.dictionary(fc.constantFrom('a', 'b', '~', '/', '__proto__', '0', ''), json, { maxKeys: 5 }) as fc.Arbitrary<JsonObject>;
const pointer = fc
  .array(fc.constantFrom('a', 'b', '~0', '~1', '~2', '__proto__', 'constructor', '0', '1', '-', '-1', '00', '', '99999999999999999999'), {
    maxLength: 4,
  })
  .map((steps) => steps.map((step) => `/${step}`).join(''));
const operation = fc.record(
  { op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'ADD', ''), path: pointer, from: pointer, value: json },
  { requiredKeys: ['op', 'path'] },
);

describe('JSON patches', () => {
  test('of any operations', () => {
    fc.assert(
      fc.property(document, fc.array(operation as fc.Arbitrary<Json>, { maxLength: 6 }), (target, operations) => {
        expect([400, 422, 'object']).toContain(kindOf(outcome(target, () => applyJsonPatch(target, operations))));
      }),
      { numRuns: 500 },
    );
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  test('that are none', () => {
    fc.assert(
      fc.property(json, (patch) => void outcome({ a: 1 }, () => applyJsonPatch({ a: 1 }, patch))),
      { numRuns: 200 },
    );
  });

  test('what was added can be taken away again', () => {
    fc.assert(
      fc.property(document, json, (target, value) => {
        const added = { op: 'add', path: '/new~0~1', value };
        expect(outcome(target, () => applyJsonPatch(target, [added, { op: 'test', path: '/new~0~1', value }]))).toEqual({
          ...plain(target),
          'new~/': value,
        });
        expect(outcome(target, () => applyJsonPatch(target, [added, { op: 'remove', path: '/new~0~1' }]))).toEqual(plain(target));
      }),
      { numRuns: 100 },
    );
  });

  test.each<[string, Json, number]>([
    ['too many operations', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 'x' })), 413],
    ['as many as may be', Array.from({ length: 10_000 }, () => ({ op: 'test', path: '/a', value: 'x' })), 200],
    ['copies that double', Array.from({ length: 40 }, () => ({ op: 'copy', from: '/b', path: '/b/-' })), 422],
    ['a pointer without a slash', [{ op: 'add', path: 'a', value: 1 }], 422],
    ['a list index that is no number', [{ op: 'add', path: '/b/x', value: 1 }], 422],
    ['a list index past the end', [{ op: 'add', path: '/b/5', value: 1 }], 422],
    ['the place behind a list', [{ op: 'add', path: '/b/-', value: 1 }], 200],
    ['a test that fails', [{ op: 'test', path: '/a', value: 'y' }], 422],
    ['the removal of nothing', [{ op: 'remove', path: '/c' }], 422],
  ])('%s', (_name, patch, code) => {
    const target = { a: 'x', b: ['y'.repeat(1_000)] };
    const result = outcome(target, () => applyJsonPatch(target, patch));
    expect(typeof result === 'number' ? result : 200).toBe(code);
  });
});

/** Keys that JavaScript knows are compared as data. */
function plain(value: Json): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function kindOf(result: Json | number): string | number {
  return typeof result === 'number' ? (result >= 400 ? result : 'object') : 'object';
}

/** Whether an object inside of a list has a null. */
function hasNulls(value: Json, isInList: boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => hasNulls(item, true));
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => (isInList && member === null) || hasNulls(member, isInList));
}

describe('merge patches', () => {
  test('of any shape; a second time changes nothing', () => {
    fc.assert(
      fc.property(document, json, (target, patch) => {
        // Nulls of objects in lists go only where a list comes in the place of something that is no object: so does upstream's library.
        fc.pre(!hasNulls(patch, false));
        const once = outcome(target, () => applyMergePatch(target, patch));
        if (typeof once !== 'object' || once === null || Array.isArray(once)) return;
        expect(outcome(once, () => applyMergePatch(once, patch))).toEqual(once);
      }),
      { numRuns: 300 },
    );
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  test('deeper than the stack', () => {
    let deep: Json = 1;
    for (let depth = 0; depth < 9_000; depth++) deep = { a: deep };
    expect([400, 'object']).toContain(kindOf(outcome({}, () => applyMergePatch({}, deep))));
  });
});

describe('strategic merge patches', () => {
  /** A field of the pod's, or what directs the merge, with anything in it. */
  const directive = fc.constantFrom<Json>(
    { $patch: 'delete' },
    { $patch: 'replace' },
    { $patch: 'wrong' },
    { $retainKeys: ['a'] },
    { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }] },
    { '$deleteFromPrimitiveList/finalizers': ['a'] },
    { $patch: 1 },
    [{ $patch: 'replace' }, { name: 'a' }],
    [{ name: 'a', $patch: 'delete' }],
    [[], 1, 'a'],
  );
  const field = fc.constantFrom(
    'metadata',
    'spec',
    'containers',
    'finalizers',
    'labels',
    'volumes',
    'name',
    '$patch',
    '$retainKeys',
    '__proto__',
  );
  const patch = fc.dictionary(field, fc.oneof(json, directive, fc.dictionary(field, fc.oneof(json, directive), { maxKeys: 3 })), {
    maxKeys: 3,
  });

  test('of any shape', () => {
    fc.assert(
      fc.property(fc.gen(), patch as fc.Arbitrary<Json>, (gen, wanted) => {
        const target = codec.decodeValue(randomObject(podSchema, gen), pod, 'Strict').object as unknown as JsonObject;
        expect([400, 422, 500, 'object']).toContain(kindOf(outcome(target, () => applyStrategicMergePatch(target, wanted, podSchema))));
      }),
      { numRuns: 200 },
    );
  });
});
