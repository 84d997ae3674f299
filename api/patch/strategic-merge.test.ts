import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';
import { deploymentSchema, podSpec } from './testing.ts';

function merge(document: JsonObject, patch: Json): JsonObject {
  const before = JSON.stringify([document, patch]);
  const result = applyStrategicMergePatch(document, patch, podSpec);
  expect(JSON.stringify([document, patch])).toBe(before);
  return result;
}

const abc = { containers: [{ name: 'a', image: '1' }, { name: 'b', image: '2' }, { name: 'c' }] };
const named = (...names: string[]): JsonObject => ({ containers: names.map((name) => ({ name })) });

describe('lists of objects', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'merges by key',
      abc,
      { containers: [{ name: 'b', image: '9' }] },
      { containers: [{ name: 'a', image: '1' }, { name: 'b', image: '9' }, { name: 'c' }] },
    ],
    ['puts new items first', named('a', 'b'), named('x'), named('x', 'a', 'b')],
    ['puts named items in the patch’s order', named('a', 'b', 'c'), named('c', 'a'), named('b', 'c', 'a')],
    ['deletes', abc, { containers: [{ name: 'b', $patch: 'delete' }] }, { containers: [{ name: 'a', image: '1' }, { name: 'c' }] }],
    ['deletes what is not there', named('a'), { containers: [{ name: 'x', $patch: 'delete' }] }, named('a')],
    ['replaces the list', abc, { containers: [{ $patch: 'replace' }, { name: 'z' }] }, named('z')],
    [
      'takes a replacing item for the list’s directive',
      abc,
      { containers: [{ name: 'a', $patch: 'replace', stdin: true }] },
      { containers: [] },
    ],
    [
      'adds to nothing, without directives and nulls',
      {},
      {
        containers: [
          { name: 'a', image: null },
          { name: 'b', $patch: 'delete' },
        ],
      },
      named('a'),
    ],
    [
      'sets the order',
      named('a', 'b', 'c'),
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
      named('c', 'b', 'a'),
    ],
    [
      'sets the order of merged items, others keep their place',
      named('a', 'server', 'b'),
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'n' }, { name: 'a' }], containers: [{ name: 'n' }] },
      named('server', 'b', 'n', 'a'),
    ],
    [
      'takes an empty order for none, whatever the patch’s items',
      named('a', 'b'),
      { '$setElementOrder/containers': [], containers: [{ name: 'b', image: '9' }] },
      { containers: [{ name: 'a' }, { name: 'b', image: '9' }] },
    ],
    [
      'asks no order of items with a directive',
      named('a', 'b'),
      { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ $patch: 'replace' }, { name: 'a', image: '9' }] },
      { containers: [{ name: 'a', image: '9' }] },
    ],
    [
      'as kubectl apply deletes an item',
      named('a', 'b'),
      { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ $patch: 'delete', name: 'b' }] },
      named('a'),
    ],
    ['removes the list', abc, { containers: null }, {}],
    [
      'replaces lists that are not merged',
      { tolerations: [{ key: 'a' }] },
      { tolerations: [{ key: 'b' }] },
      { tolerations: [{ key: 'b' }] },
    ],
    [
      'merges inside an item',
      { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }] },
      { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] },
      {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'Y', value: '2' },
              { name: 'X', value: '1' },
            ],
          },
        ],
      },
    ],
  ])('%s', (_, document, patch, expected) => {
    expect(merge(document, patch)).toEqual(expected);
  });
});

describe('lists of scalars', () => {
  const meta = (finalizers: Json): JsonObject => ({ metadata: { finalizers } });
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['are united', meta(['a', 'b']), meta(['b', 'c']), meta(['a', 'b', 'c'])],
    ['lose what is named', meta(['a', 'b', 'c']), { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'] } }, meta(['a', 'c'])],
    [
      'are ordered',
      meta(['a', 'b']),
      { metadata: { '$setElementOrder/finalizers': ['c', 'b', 'a'], finalizers: ['c'] } },
      meta(['c', 'b', 'a']),
    ],
    ['deleting from nothing', { metadata: {} }, { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'] } }, { metadata: {} }],
  ])('%s', (_, document, patch, expected) => {
    expect(applyStrategicMergePatch(document, patch, deploymentSchema)).toEqual(expected);
  });
});

describe('objects', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['maps are merged', { nodeSelector: { a: '1', b: '2' } }, { nodeSelector: { a: null, c: '3' } }, { nodeSelector: { b: '2', c: '3' } }],
    ['$patch: replace', { nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'replace', c: '3' } }, { nodeSelector: { c: '3' } }],
    ['$patch: delete', { nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'delete' } }, { nodeSelector: {} }],
    [
      '$retainKeys',
      { volumes: [{ name: 'v', emptyDir: { medium: 'x' } }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    ],
    ['a scalar', { hostNetwork: true }, { hostNetwork: false }, { hostNetwork: false }],
    ['another type is taken as it is', { nodeName: 'x' }, { nodeName: { a: null, b: 1 } }, { nodeName: { b: 1 } }],
    ['unknown fields, for decoding to refuse', {}, { foo: { bar: 1 } }, { foo: { bar: 1 } }],
  ])('%s', (_, document, patch, expected) => {
    expect(merge(document, patch)).toEqual(expected);
  });
});

describe('what is refused', () => {
  test.each<[string, JsonObject, Json, number, string]>([
    ['no object', {}, [], 400, 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['an unknown directive', {}, { $patch: 'spam', a: 1 }, 500, 'unknown patch type: spam in map: map[$patch:spam a:1]'],
    ['an item without its key', abc, { containers: [{ image: 'x' }] }, 500, 'map: map[image:x] does not contain declared merge key: name'],
    [
      'a deletion without its key',
      abc,
      { containers: [{ $patch: 'delete' }] },
      500,
      'map: map[$patch:delete] does not contain declared merge key: name',
    ],
    [
      'merging by directive',
      abc,
      { containers: [{ $patch: 'merge', name: 'a' }] },
      500,
      'merging lists cannot yet be specified in the patch',
    ],
    ['$retainKeys that is no list', {}, { $retainKeys: 'x' }, 400, 'invalid patch format of retainKeys'],
    ['$retainKeys that misses a key', {}, { $retainKeys: ['a'], b: 1 }, 400, 'invalid patch format of retainKeys'],
    ['a list of lists', { containers: [] }, { containers: [['x']] }, 422, 'the server rejected our request due to an error in our request'],
    [
      'an order that the patch does not follow',
      abc,
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [{ name: 'b' }, { name: 'a' }] },
      500,
      "The order in patch list:\n[map[name:b] map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]\n",
    ],
    [
      'an order with an item without its key',
      abc,
      { '$setElementOrder/containers': [{ image: 'x' }], containers: [{ name: 'a' }] },
      500,
      'map: map[image:x] does not contain declared merge key: name',
    ],
    [
      'an order with an item that is no object',
      abc,
      { '$setElementOrder/containers': ['a'], containers: [{ name: 'a' }] },
      500,
      'expected a map[string]interface {}, but received a string',
    ],
    ['an order of no list', {}, { $setElementOrder: [] }, 400, 'invalid patch format of setElementOrder list'],
    ['an order whose list follows no slash', {}, { $setElementOrderX: [] }, 400, 'invalid patch format of setElementOrder list'],
    ['a deletion from no list', {}, { $deleteFromPrimitiveList: [] }, 400, 'invalid patch format of primitive list'],
    [
      'a field that is not there',
      {},
      { '$setElementOrder/foo': [] },
      500,
      'unable to find api field in struct PodSpec for the json field "foo"',
    ],
  ])('%s', (_, document, patch, code, message) => {
    try {
      merge(document, patch);
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError);
      expect([(error as ApiError).code, (error as ApiError).message]).toEqual([code, message]);
      return;
    }
    throw new Error('was accepted');
  });
});

describe('properties', () => {
  const item = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.constantFrom('x', 'y') }, { requiredKeys: ['name'] });
  const containers = fc.uniqueArray(item, { selector: ({ name }) => name });
  const spec = fc.record(
    { containers, hostNetwork: fc.boolean(), nodeSelector: fc.dictionary(fc.constantFrom('p', '__proto__'), fc.constant('1')) },
    { requiredKeys: [] },
  );

  test('a patch without directives once more changes nothing', () => {
    fc.assert(
      fc.property(spec, spec, (document, patch) => {
        const once = merge(document as JsonObject, patch as JsonObject);
        expect(merge(once, patch as JsonObject)).toEqual(once);
      }),
    );
  });

  test('a patch that names every item, in order, with what to delete, makes the list it means', () => {
    fc.assert(
      fc.property(containers, containers, (from, to) => {
        fc.pre(from.length + to.length > 0);
        const gone = from.filter(({ name }) => !to.some((one) => one.name === name));
        const list = [...to.map((one) => ({ image: null, ...one })), ...gone.map(({ name }) => ({ name, $patch: 'delete' }))];
        const order = to.map(({ name }) => ({ name }));
        const result = merge({ containers: from } as JsonObject, { '$setElementOrder/containers': order, containers: list } as JsonObject);
        // Nulls of items that are new go only when the result is decoded.
        const found = result['containers'] as JsonObject[];
        expect(found.map(({ image, ...rest }) => (image === null ? rest : { ...rest, ...(image === undefined ? {} : { image }) }))).toEqual(
          to,
        );
      }),
    );
  });
});
