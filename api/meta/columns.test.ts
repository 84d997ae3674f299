import { expect, test } from 'vitest';
import { durationText, labelsText, selectorText, shortList, sinceText } from './columns.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

test.each([
  [-3_000, '<invalid>'],
  [-1_000, '0s'],
  [0, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [10 * minuteMs, '10m'],
  [179 * minuteMs, '179m'],
  [3 * hourMs, '3h'],
  [5 * hourMs + 12 * minuteMs, '5h12m'],
  [47 * hourMs, '47h'],
  [50 * hourMs, '2d2h'],
  [9 * dayMs, '9d'],
  [729 * dayMs, '729d'],
  [800 * dayMs, '2y70d'],
  [3_000 * dayMs, '8y'],
])('%i ms reads %s', (durationMs, expected) => {
  expect(durationText(durationMs)).toBe(expected);
});

test('other cells', () => {
  expect(sinceText(undefined, 0)).toBe('<unknown>');
  expect(labelsText({ b: '1', a: '2' })).toBe('a=2,b=1');
  expect(labelsText({})).toBe('<none>');
  expect(selectorText({ matchLabels: { a: 'b' } })).toBe('a=b');
  expect(selectorText({ matchExpressions: [{ key: 'a', operator: 'Is' }] })).toBe('<error>');
  expect(selectorText({})).toBe('<none>');
  expect(shortList(['a', 'b', 'c', 'd', 'e'], '<none>')).toBe('a,b,c + 2 more...');
});
