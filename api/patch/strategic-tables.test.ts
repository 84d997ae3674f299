// The tables by which upstream tests strategic merge patches, as far as they apply one, and more
// that its code answers: document, patch, result.
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import type { ObjectSchema, Property } from '../schema/schema.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';
import { list, mapOf, struct, text, whole } from './testing.ts';

const mergedByName = { patchStrategy: 'merge', patchMergeKey: 'name' };

/** One type with every kind of field; its lists hold itself. */
const itemSchema = struct('x.Item', { name: text, value: text, other: text, simpleMap: mapOf(text) });
const retainSchema = struct('x.Retain', { name: text, value: text, other: text, simpleMap: mapOf(text) });
const added: Record<string, Property> = {
  mergingList: list(itemSchema, mergedByName),
  nonMergingList: list(itemSchema),
  mergingIntList: list(whole, { patchStrategy: 'merge' }),
  nonMergingIntList: list(whole),
  secondList: list(itemSchema, mergedByName),
  replacingItem: { schema: { type: 'any' }, patchStrategy: 'replace' },
  retainKeysMap: { schema: retainSchema, patchStrategy: 'retainKeys' },
  retainKeysMergingList: list(itemSchema, { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' }),
};
Object.assign(itemSchema.properties, added);
Object.assign(retainSchema.properties, { mergingList: added['mergingList'], mergingIntList: added['mergingIntList'] });

function merge(document: JsonObject, patch: Json, schema: ObjectSchema = itemSchema): JsonObject {
  return applyStrategicMergePatch(document, patch, schema);
}

/** Items by short words: `a` has only a name, `a=1` a value too, `a+1` the field other. */
function named(words: string): JsonObject[] {
  return words
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [, name, value, other] = /^(\w+)(?:=(\w+))?(?:\+(\w+))?$/.exec(word) as unknown as (string | undefined)[];
      return { name: name as string, ...(value === undefined ? {} : { value }), ...(other === undefined ? {} : { other }) };
    });
}

const gone = (name: string): JsonObject => ({ name, $patch: 'delete' });
const replace: JsonObject = { $patch: 'replace' };

describe('lists of objects', () => {
  test.each<[string, string | undefined, Json[] | undefined, string | undefined, string]>([
    // what, the list before, the patch's list, its order, the list after
    ['all deleted by replacing', '1 2', [replace], undefined, ''],
    ['nothing into nothing', '', [], undefined, ''],
    ['duplicates deleted', '1 1 2=a 3 3', [gone('1'), gone('3')], undefined, '2=a'],
    ['duplicates deleted twice', '1 1 2=a 3 3', [gone('1'), gone('1'), gone('3'), gone('3')], undefined, '2=a'],
    ['the patch’s order', '1 2=b 3', named('3=c 1=a 2+x'), undefined, '3=c 1=a 2=b+x'],
    ['the patch’s order, one unnamed', '1 2=b 3', named('3=c 1=a'), undefined, '2=b 3=c 1=a'],
    ['an order with one too many', '1 3', named('3=3 1=1'), '3 2 1', '3=3 1=1'],
    ['all deleted', '1+a 2+b', [gone('1'), gone('2')], undefined, ''],
    ['all deleted from nothing', '', [gone('1'), gone('2')], undefined, ''],
    ['added around', '1+a 2=2+b', named('4=4 3=3'), '4 1 2 3', '4=4 1+a 2=2+b 3=3'],
    ['changed and added', '1+a 2=3+b', named('2=2 3=3'), '1 2 3', '1+a 2=2+b 3=3'],
    ['a field added', '1+a 2=2+b', named('1=1'), '1 2', '1=1+a 2=2+b'],
    ['only an order', '1 2=2 3=3 4=4', undefined, '4 2 3 1', '4=4 2=2 3=3 1'],
    ['an order, one unnamed at the end', '1+a 2=2 3=3 4=4 9', undefined, '4 2 3 1', '4=4 2=2 3=3 1+a 9'],
    ['an order, one unnamed inside', '1+a 2=2 9 3=3 4=4', undefined, '2 1 4 3', '2=2 1+a 9 4=4 3=3'],
    ['an order, three unnamed inside', '1+a 2=2 7 9 8 3=3 4=4', undefined, '2 1 4 3', '2=2 1+a 7 9 8 4=4 3=3'],
    ['an order that names one twice', '1 2=dup1 3 2=dup2 4', undefined, '2 1 4 3 2', '2=dup1 2=dup2 1 4 3'],
    // What comes takes the places of what goes, so that the rest was there before it.
    ['new in the place of the first', 'a d', [gone('a'), ...named('b')], 'b c a', 'd b'],
    ['new in the place of the last', 'b c', [...named('d'), gone('c')], 'd c a', 'b d'],
    ['new without a place', 'b', named('d'), 'd a', 'd b'],
    ['gone and come again', 'a b', [gone('b'), ...named('b c')], 'b c', 'a b c'],
    ['deleted and ordered', 'a=a b=b', [gone('a')], 'b', 'b=b'],
    ['an empty order: new items go last', 'a b', named('n b=9'), '', 'a b=9 n'],
    ['an empty order over nothing: new items in reverse', undefined, named('a b c'), '', 'c b a'],
    ['an empty order over items, none new', 'a b c', named('c=1'), '', 'a b c=1'],
  ])('%s', (_, before, items, order, after) => {
    const patch: JsonObject = {};
    if (order !== undefined) patch['$setElementOrder/mergingList'] = named(order);
    if (items !== undefined) patch['mergingList'] = items;
    expect(merge(before === undefined ? {} : { mergingList: named(before) }, patch)).toEqual({ mergingList: named(after) });
  });

  test('one list is ordered while another loses an item', () => {
    const document = { mergingList: named('a=a b=b'), secondList: named('c=c d=d') };
    const patch = {
      '$setElementOrder/mergingList': named('b'),
      '$setElementOrder/secondList': named('d c'),
      mergingList: [gone('a')],
    };
    expect(merge(document, patch)).toEqual({ mergingList: named('b=b'), secondList: named('d=d c=c') });
  });
});

describe('lists of numbers', () => {
  test.each<[string, number[], JsonObject, number[]]>([
    ['united', [1, 2], { mergingIntList: [2, 3] }, [1, 2, 3]],
    ['the patch’s order', [1, 2, 3], { mergingIntList: [3, 1, 2] }, [3, 1, 2]],
    ['the patch’s order, one unnamed', [1, 2, 3], { mergingIntList: [3, 1] }, [2, 3, 1]],
    ['an order with one too many', [1, 3], { '$setElementOrder/mergingIntList': [3, 2, 1] }, [3, 1]],
    ['deleted', [1, 2, 3, 4], { '$setElementOrder/mergingIntList': [1, 2], '$deleteFromPrimitiveList/mergingIntList': [3] }, [1, 2, 4]],
    [
      'every repetition deleted',
      [1, 2, 3, 3, 4],
      { '$setElementOrder/mergingIntList': [1, 2], '$deleteFromPrimitiveList/mergingIntList': [3] },
      [1, 2, 4],
    ],
    [
      'added, deleted and ordered',
      [1, 2, 3],
      { '$setElementOrder/mergingIntList': [4, 2, 1], '$deleteFromPrimitiveList/mergingIntList': [3], mergingIntList: [4] },
      [4, 2, 1],
    ],
    ['added and ordered', [1, 2], { '$setElementOrder/mergingIntList': [1, 4, 2, 3], mergingIntList: [4, 3] }, [1, 4, 2, 3]],
    ['an order, unnamed ones inside', [1, 2, 7, 9, 8, 3, 4], { '$setElementOrder/mergingIntList': [2, 1, 4, 3] }, [2, 1, 7, 9, 8, 4, 3]],
    ['an order that names one twice', [1, 2, 3, 2, 4], { '$setElementOrder/mergingIntList': [2, 1, 4, 3, 2] }, [2, 2, 1, 4, 3]],
    ['an empty order: new ones go last', [1, 2], { '$setElementOrder/mergingIntList': [], mergingIntList: [3] }, [1, 2, 3]],
  ])('%s', (_, before, patch, after) => {
    expect(merge({ mergingIntList: before }, patch)).toEqual({ mergingIntList: after });
  });

  test('deleting from a list that is not merged puts the values in its place', () => {
    expect(merge({ nonMergingIntList: [1, 2] }, { '$deleteFromPrimitiveList/nonMergingIntList': [2] })).toEqual({ nonMergingIntList: [2] });
  });
});

describe('objects', () => {
  const kept = (...keys: string[]): JsonObject => ({ $retainKeys: keys });
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['deleted below', { simpleMap: { a: '1', b: '1' } }, { simpleMap: gone('x') }, { simpleMap: {} }],
    ['replaced by nothing', { name: '1', value: '1' }, replace, {}],
    ['replaced', { name: '1', value: '1' }, { other: 'a', $patch: 'replace' }, { other: 'a' }],
    ['nulls remove', { name: '1', other: 'a' }, { name: null, value: '1' }, { value: '1', other: 'a' }],
    ['nulls for what is not there', { name: 'a', other: 'a' }, { name: '1', value: '1', other: null }, { name: '1', value: '1' }],
    ['lists not merged are replaced', { nonMergingIntList: [1, 4] }, { nonMergingIntList: [2, 3] }, { nonMergingIntList: [2, 3] }],
    [
      'kept keys clear others',
      { retainKeysMap: { value: 'f' } },
      { retainKeysMap: { ...kept('other'), other: 'b' } },
      { retainKeysMap: { other: 'b' } },
    ],
    [
      'kept keys with what they kept',
      { retainKeysMap: { name: 'f', value: 'b', other: 'a' } },
      { retainKeysMap: kept('name', 'value') },
      { retainKeysMap: { name: 'f', value: 'b' } },
    ],
    [
      'kept keys and a removed one',
      { retainKeysMap: { name: 'f', value: 'b', other: 'a' } },
      { retainKeysMap: { ...kept('name'), value: null } },
      { retainKeysMap: { name: 'f' } },
    ],
    [
      'kept keys merge below',
      { retainKeysMap: { name: 'f', simpleMap: { a: '1', c: '3' }, other: 'x' } },
      { retainKeysMap: { ...kept('name', 'simpleMap'), simpleMap: { a: null, b: '2' } } },
      { retainKeysMap: { name: 'f', simpleMap: { b: '2', c: '3' } } },
    ],
    [
      'kept keys with lists and their orders',
      { retainKeysMap: { name: 'f', other: 'x', mergingList: named('a=1 b=2'), mergingIntList: [1, 2] } },
      {
        retainKeysMap: {
          ...kept('name', 'mergingList', 'mergingIntList'),
          '$setElementOrder/mergingList': named('b c'),
          mergingList: [...named('c'), gone('a')],
          '$deleteFromPrimitiveList/mergingIntList': [1],
        },
      },
      { retainKeysMap: { name: 'f', mergingList: named('b=2 c'), mergingIntList: [2] } },
    ],
    [
      'kept keys of an item',
      { retainKeysMergingList: named('bar foo=a+x') },
      {
        '$setElementOrder/retainKeysMergingList': named('bar foo'),
        retainKeysMergingList: [{ ...kept('name', 'value'), name: 'foo', value: 'n' }],
      },
      { retainKeysMergingList: named('bar foo=n') },
    ],
    [
      'kept keys of a new item',
      { retainKeysMergingList: named('bar') },
      {
        '$setElementOrder/retainKeysMergingList': named('bar foo'),
        retainKeysMergingList: [{ ...kept('name', 'value'), name: 'foo', value: 'n' }],
      },
      { retainKeysMergingList: [...named('bar'), { ...kept('name', 'value'), name: 'foo', value: 'n' }] },
    ],
    [
      'free JSON is replaced',
      { replacingItem: { Some: 'x', Keeps: 'y' } },
      { replacingItem: { Keeps: 'y' } },
      { replacingItem: { Keeps: 'y' } },
    ],
    [
      'a new item is taken as it is',
      { mergingList: named('a') },
      { mergingList: [{ name: 'n', value: null, mergingList: [gone('x'), { name: 'y' }], '$setElementOrder/mergingList': named('y') }] },
      {
        mergingList: [
          { name: 'n', value: null, mergingList: [gone('x'), { name: 'y' }], '$setElementOrder/mergingList': named('y') },
          { name: 'a' },
        ],
      },
    ],
    [
      'a new list comes without nulls and without what $patch stands in, whatever it says',
      {},
      {
        mergingList: [
          gone('a'),
          { name: 'n', value: null, simpleMap: { $patch: 'replace', a: '1' }, nonMergingIntList: [1, null], ...kept('b') },
        ],
      },
      { mergingList: [{ name: 'n', nonMergingIntList: [1, null], ...kept('b') }] },
    ],
    [
      'a new list with an order keeps its nulls',
      {},
      { '$setElementOrder/mergingList': named('n'), mergingList: [{ name: 'n', value: null }, gone('a')] },
      { mergingList: [{ name: 'n', value: null }] },
    ],
    [
      'a new object that $patch stands in is none',
      { name: 'a' },
      { simpleMap: { $patch: 'replace', a: '1' }, value: 'b' },
      { name: 'a', value: 'b' },
    ],
    [
      'unknown fields come and go',
      { name: 'f', s: true, array: [1] },
      { s: null, complex: { a: 1 } },
      { name: 'f', array: [1], complex: { a: 1 } },
    ],
  ])('%s', (_, document, patch, result) => {
    expect(merge(document, patch)).toEqual(result);
  });
});

describe('refused', () => {
  const message = (document: JsonObject, patch: JsonObject): [number, string] | undefined => {
    try {
      merge(document, patch);
      return undefined;
    } catch (error) {
      return error instanceof ApiError ? [error.code, error.message] : undefined;
    }
  };
  test.each<[string, JsonObject, JsonObject, string]>([
    [
      'numbers against their order',
      { mergingIntList: [1, 3, 2] },
      { '$setElementOrder/mergingIntList': [1, 2, 3], mergingIntList: [3, 1] },
      "The order in patch list:\n[3 1]\n doesn't match $setElementOrder list:\n[1 2 3]\n",
    ],
    [
      'an item without its key in the document',
      { mergingList: [{ value: 'x' }] },
      { mergingList: named('a') },
      'map: map[value:x] does not contain declared merge key: name',
    ],
    [
      'the same under an order',
      { mergingList: [{ value: 'x' }] },
      { '$setElementOrder/mergingList': named('a') },
      'map: map[value:x] does not contain declared merge key: name',
    ],
    [
      'an order for two empty lists',
      { mergingList: [] },
      { '$setElementOrder/mergingList': [], mergingList: [] },
      'no elements in any of the given slices',
    ],
    [
      'an order for an empty list',
      { mergingIntList: [] },
      { '$setElementOrder/mergingIntList': [1] },
      'no elements in any of the given slices',
    ],
    [
      'a change below an unknown field',
      { complex: { nested: true } },
      { complex: { nested: false } },
      'unable to find api field in struct Item for the json field "complex"',
    ],
    [
      'an order of what is no object',
      { mergingList: named('a') },
      { '$setElementOrder/mergingList': ['a'] },
      'value for key 0 is not a map.',
    ],
    ['an order of no list', {}, { '$setElementOrder/name': [] }, 'expected slice or array type, but got: struct'],
    [
      'an order in a map',
      { simpleMap: {} },
      { simpleMap: { '$setElementOrder/a': [] } },
      'merging an object in json but data type is not struct, instead is: map',
    ],
    ['a directive that is a number', {}, { $patch: 1 }, 'unknown patch type: %!s(int64=1) in map: map[$patch:1]'],
    [
      'a directive that is none, in an item',
      { mergingList: named('a') },
      { mergingList: [{ name: 'a', $patch: null }] },
      'unknown patch type: %!s(<nil>) in map: map[$patch:<nil> name:a]',
    ],
    [
      'lists among objects',
      { mergingList: named('a') },
      { mergingList: [['a']] },
      'list element types are not identical: [[map[name:a]] [[a]]]',
    ],
    ['lists of different items', { mergingIntList: [1] }, { mergingIntList: ['a'] }, 'list element types are not identical: [[1] [a]]'],
  ])('%s', (_, document, patch, text) => {
    expect(message(document, patch)).toEqual([500, text]);
  });
});
