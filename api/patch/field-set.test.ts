import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareElements, difference, differenceBelow, type FieldNode, hasPath, intersection, pathsOf, setOf, union } from './field-set.ts';
import { pathText } from './field-text.ts';

const text = (set: FieldNode): string[] => [...pathsOf(set)].map(pathText).sort();

test('sets keep what is a member apart from what leads to one', () => {
  const set = setOf([['f:a'], ['f:a', 'f:b'], ['f:c', 'f:d']]);
  expect(set).toEqual({ 'f:a': { '.': {}, 'f:b': {} }, 'f:c': { 'f:d': {} } });
  expect(hasPath(set, ['f:a'])).toBe(true);
  expect(hasPath(set, ['f:c'])).toBe(false);
});

test.each([
  ['fields by name', ['f:b', 'f:a'], ['f:a', 'f:b']],
  ['the dot first, then fields, keys, values', ['v:1', 'k:{"a":1}', 'f:a', '.'], ['.', 'f:a', 'k:{"a":1}', 'v:1']],
  ['numbers by value', ['k:{"p":443}', 'k:{"p":80}'], ['k:{"p":80}', 'k:{"p":443}']],
  ['a shorter text first', ['k:{"n":"a b"}', 'k:{"n":"a"}'], ['k:{"n":"a"}', 'k:{"n":"a b"}']],
  ['indexes by value', ['i:10', 'i:9'], ['i:9', 'i:10']],
])('order: %s', (_, elements, expected) => {
  expect([...elements].sort(compareElements)).toEqual(expected);
});

test('differenceBelow takes what lies under a member with it', () => {
  const set = setOf([
    ['f:status', 'f:phase'],
    ['f:spec', 'f:x'],
    ['f:spec', 'f:y'],
  ]);
  expect(differenceBelow(set, setOf([['f:status'], ['f:spec', 'f:x']]))).toEqual({ 'f:spec': { 'f:y': {} } });
});

describe('laws', () => {
  const path = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"n":1}', 'v:"x"'), { minLength: 1, maxLength: 3 });
  const paths = fc.array(path, { maxLength: 6 });
  const asText = (list: readonly (readonly string[])[]): Set<string> => new Set(list.map(pathText));

  test('union, difference and intersection are those of the paths', () => {
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const [one, two] = [setOf(left), setOf(right)];
        const [mine, theirs] = [asText(left), asText(right)];
        expect(text(union(one, two))).toEqual([...mine.union(theirs)].sort());
        expect(text(difference(one, two))).toEqual([...mine.difference(theirs)].sort());
        expect(text(intersection(one, two))).toEqual([...mine.intersection(theirs)].sort());
      }),
    );
  });

  test('keys are in order however a set was made', () => {
    fc.assert(
      fc.property(paths, (list) => {
        expect(JSON.stringify(setOf(list))).toBe(JSON.stringify(setOf(list.toReversed())));
      }),
    );
  });
});
