import fc from 'fast-check';
import { applyPatch, createPatch } from 'rfc6902';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { applyJsonPatch, jsonPatchProblems } from './json-patch.ts';

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const document: JsonObject = { a: { b: 1, 'x/y': 2, 'm~n': 3 }, list: [1, 2, 3], none: null };

test.each<[string, Json, Json]>([
  ['add a key', [{ op: 'add', path: '/a/c', value: [1] }], { ...document, a: { b: 1, 'x/y': 2, 'm~n': 3, c: [1] } }],
  ['add replaces', [{ op: 'add', path: '/a', value: 1 }], { ...document, a: 1 }],
  ['insert', [{ op: 'add', path: '/list/1', value: 9 }], { ...document, list: [1, 9, 2, 3] }],
  ['append by dash', [{ op: 'add', path: '/list/-', value: 9 }], { ...document, list: [1, 2, 3, 9] }],
  ['append by length', [{ op: 'add', path: '/list/3', value: 9 }], { ...document, list: [1, 2, 3, 9] }],
  ['negative index', [{ op: 'replace', path: '/list/-1', value: 9 }], { ...document, list: [1, 2, 9] }],
  [
    'escapes',
    [
      { op: 'remove', path: '/a/x~1y' },
      { op: 'remove', path: '/a/m~0n' },
    ],
    { ...document, a: { b: 1 } },
  ],
  ['replace may add', [{ op: 'replace', path: '/new', value: 1 }], { ...document, new: 1 }],
  ['add without a value', [{ op: 'add', path: '/new' }], { ...document, new: null }],
  ['move', [{ op: 'move', from: '/list/0', path: '/a/b' }], { ...document, list: [2, 3], a: { ...(document['a'] as JsonObject), b: 1 } }],
  ['copy', [{ op: 'copy', from: '/list', path: '/copied' }], { ...document, copied: [1, 2, 3] }],
  ['replace the whole', [{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
  ['replace the whole by null', [{ op: 'replace', path: '', value: null }], document],
  [
    'replace the whole by a number',
    [
      { op: 'replace', path: '', value: 5 },
      { op: 'add', path: '/a', value: 1 },
    ],
    { ...document, a: 1 },
  ],
  ['test deeply', [{ op: 'test', path: '/a', value: { 'm~n': 3, b: 1, 'x/y': 2 } }], document],
  ['test null against nothing', [{ op: 'test', path: '/missing', value: null }], document],
  ['test the whole', [{ op: 'test', path: '', value: document }], document],
  ['nothing', [], document],
])('%s', (_, patch, expected) => {
  const before = JSON.stringify(document);
  expect(applyJsonPatch(document, patch)).toEqual(expected);
  expect(JSON.stringify(document)).toBe(before);
});

test.each<[string, Json]>([
  ['a failed test', [{ op: 'test', path: '/a/b', value: 2 }]],
  ['a missing path', [{ op: 'add', path: '/no/where', value: 1 }]],
  ['a step through a scalar', [{ op: 'add', path: '/a/b/c', value: 1 }]],
  ['removing nothing', [{ op: 'remove', path: '/missing' }]],
  ['an index too large', [{ op: 'add', path: '/list/4', value: 1 }]],
  ['no index', [{ op: 'replace', path: '/list/x', value: 1 }]],
  ['moving nothing', [{ op: 'move', from: '/missing', path: '/a' }]],
  ['moving into itself', [{ op: 'move', from: '/a', path: '/a/b' }]],
  ['an unknown operation', [{ op: 'spam', path: '/a' }]],
  ['no path', [{ op: 'add', value: 1 }]],
  ['no operation', [null]],
])('%s is a 422 without details', (_, patch) => {
  expect(refusal(() => applyJsonPatch(document, patch)).toStatus()).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
    code: 422,
  });
});

describe('limits and shapes', () => {
  test('an object is no patch', () => {
    const error = refusal(() => applyJsonPatch(document, {}));
    expect([error.code, error.message]).toEqual([400, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch']);
  });

  test('more than 10,000 operations', () => {
    const error = refusal(() =>
      applyJsonPatch(
        document,
        Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a/b', value: 1 })),
      ),
    );
    expect([error.code, error.message]).toEqual([
      413,
      'Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    ]);
  });

  test('copies that double', () => {
    const copies = Array.from({ length: 30 }, () => ({ op: 'copy', from: '/data', path: '/data/-' }));
    expect(refusal(() => applyJsonPatch({ data: ['x'.repeat(100)] }, copies)).code).toBe(422);
  });

  test('__proto__ is a key like any other', () => {
    const result = applyJsonPatch({}, JSON.parse('[{"op":"add","path":"/__proto__","value":{"polluted":1}}]') as Json) as JsonObject;
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as JsonObject)['polluted']).toBeUndefined();
    expect(refusal(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/x', value: 1 }])).code).toBe(422);
  });

  test('values deeper than the stack are refused, and nothing crashes', () => {
    let deep: Json = 1;
    for (let level = 0; level < 50_000; level++) deep = { a: deep };
    expect(refusal(() => applyJsonPatch({}, [{ op: 'add', path: '/x', value: deep }])).message).toBe('json: exceeded max depth');
  });

  test('strict validation names unknown fields and refuses wrong types', () => {
    expect(jsonPatchProblems([{ op: 'add', path: '/a', value: 1, extra: 1 }])).toEqual(['json patch unknown field "[0].extra"']);
    expect(refusal(() => jsonPatchProblems([{ op: 1 }])).message).toBe(
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
    );
    expect(refusal(() => jsonPatchProblems({})).message).toBe(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  });
});

test('does what the reference package does, for any two documents', () => {
  const value = fc.letrec<{ any: Json }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(1, 'x', true),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c/d', 'e~f'), tie('any')),
    ),
  })).any;
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'c/d', 'e~f'), value);
  fc.assert(
    fc.property(object, object, (from, to) => {
      const patch = createPatch(from, to);
      const reference = structuredClone(from);
      applyPatch(reference, patch);
      expect(applyJsonPatch(from, patch as unknown as Json)).toEqual(reference);
      expect(applyJsonPatch(from, patch as unknown as Json)).toEqual(to);
    }),
  );
});
