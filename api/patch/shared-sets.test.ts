import { expect, test } from 'vitest';
import { SharedSets } from './shared-sets.ts';

const make = (): Record<string, object> => ({ 'f:spec': { '.': {}, 'f:replicas': {} } });

test('a set is made once for each signature, and its text is known', () => {
  const sets = new SharedSets();
  const set = sets.get('a', make as never);
  expect(sets.get('a', () => ({}))).toBe(set);
  expect(sets.get('b', make as never)).not.toBe(set);
  expect(sets.textOf(set)).toBe('{"f:spec":{".":{},"f:replicas":{}}}');
  expect(sets.textOf({})).toBeUndefined();
});

test('too many sets are forgotten; those in use stay what they are', () => {
  const sets = new SharedSets(100);
  const set = sets.get('a', make as never);
  for (let at = 0; at < 10; at++) sets.get(`signature of some length ${at}`, () => ({}));
  const again = sets.get('a', make as never);
  expect(again).not.toBe(set);
  expect(again).toEqual(set);
  expect(sets.textOf(set)).toBe(sets.textOf(again));
});
