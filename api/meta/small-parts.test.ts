import { expect, test } from 'vitest';
import { type Condition, isConditionTrue, withCondition } from './conditions.ts';
import { equalValues } from './equality.ts';
import { fnv32a, objectHash } from './hash.ts';
import { scaledCount } from './int-or-string.ts';
import { generateName, safeEncode } from './random-name.ts';

test.each([
  [3, 10, 'up', 3],
  ['25%', 10, 'up', 3],
  ['25%', 10, 'down', 2],
  ['10%', 30, 'up', 3],
  ['0%', 30, 'up', 0],
  ['x', 30, 'up', undefined],
] as const)('%s of %s, rounded %s', (value, total, round, expected) => {
  expect(scaledCount(value, total, { round })).toBe(expected);
});

test('hashes are stable, safe, and differ by collision count', () => {
  expect(fnv32a('')).toBe(0x811c9dc5);
  expect(fnv32a('a')).toBe(0xe40c292c);
  const hash = objectHash({ b: 1, a: [undefined, 2] });
  expect(hash).toBe(objectHash({ a: [undefined, 2], b: 1, c: undefined }));
  expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
  expect(objectHash({ b: 1 }, 1)).not.toBe(objectHash({ b: 1 }));
});

test('generated names fit into 63 characters', () => {
  expect(generateName('web-', () => 0)).toBe('web-bbbbb');
  expect(generateName('x'.repeat(70))).toMatch(/^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  expect(safeEncode('1234567890')).toHaveLength(10);
});

test('a condition keeps its transition time while its status stays', () => {
  const before: Condition[] = [{ type: 'Ready', status: 'True', lastTransitionTime: 't0' }];
  const [kept] = withCondition(before, { type: 'Ready', status: 'True', reason: 'Again', lastTransitionTime: 't1' });
  expect(kept).toEqual({ type: 'Ready', status: 'True', reason: 'Again', lastTransitionTime: 't0' });
  const [changed] = withCondition(before, { type: 'Ready', status: 'False', lastTransitionTime: 't1' });
  expect(changed?.lastTransitionTime).toBe('t1');
  expect(isConditionTrue(before, 'Ready')).toBe(true);
});

test('nothing and an empty list are equal, an empty part of an object is something', () => {
  expect(equalValues({ a: [], b: { c: null } }, { b: {} })).toBe(true);
  expect(equalValues({ a: {} }, {})).toBe(false);
  expect(equalValues([{}], [{ a: [] }])).toBe(true);
  expect([equalValues({}, undefined), equalValues([], undefined)]).toEqual([true, true]);
  expect(equalValues({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
  expect(equalValues({ a: '' }, {})).toBe(false);
});
