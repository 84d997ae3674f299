import { expect, test } from 'vitest';
import { hasPlace, revisionsPerCommit, splitPlace, withPlace } from './commit-place.ts';
import { Revisions } from './revisions.ts';

const json = Buffer.from('{"a":1}');

test.each([1, 2, 127, 128, 1_023])('a value with %i writes behind it is still the same JSON', (behind) => {
  const stored = withPlace(json, behind);
  expect(hasPlace(stored)).toBe(true);
  expect(splitPlace(stored)).toEqual({ value: json, behind });
  expect(JSON.parse(Buffer.from(stored).toString())).toEqual({ a: 1 });
  expect(Buffer.from(stored).toString()).not.toMatch(/[\r\n]/);
});

test('the last value of a commit is stored as it is', () => {
  expect(withPlace(json, 0)).toBe(json);
  expect([json, Buffer.from(''), Buffer.from('\t'), Buffer.from('x          \t').subarray(1, 4)].map(hasPlace)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('a value that looks like one with a place keeps its bytes', () => {
  const tricky = withPlace(json, 5);
  const stored = withPlace(tricky, 0);
  expect(splitPlace(stored)).toEqual({ value: tricky, behind: 0 });
});

test('revisions of one commit lie between those of its neighbours', () => {
  const revisions = new Revisions(77);
  const [before, first, last] = [revisions.of(4), revisions.of(5, revisionsPerCommit - 1), revisions.of(5)];
  expect([before < first, first < last]).toEqual([true, true]);
  expect([before, first, last].map((revision) => revisions.commitOf(revision))).toEqual([4, 5, 5]);
  expect([before, first, last - 1, last].map((revision) => revisions.wholeCommitsUpTo(revision))).toEqual([4, 4, 4, 5]);
  expect([revisions.commitOf(77), revisions.commitOf(3)]).toEqual([-1, -1]);
});
