import { expect, test } from 'vitest';
import { exactDuration, formatDuration, parseDuration, parseDurationMs } from './duration.ts';

test.each([
  ['0', 0],
  ['-0', 0],
  ['5s', 5_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['1.s', 1_000],
  ['-3ms', -3],
  ['+2us', 0.002],
  ['2µs', 0.002],
])('%s', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['s', 'time: invalid duration "s"'],
  ['.s', 'time: invalid duration ".s"'],
  ['1x', 'time: unknown unit "x" in duration "1x"'],
  ['1h5', 'time: missing unit in duration "1h5"'],
  ['1 h', 'time: unknown unit " h" in duration "1 h"'],
  ['3000000h', 'time: invalid duration "3000000h"'],
])('not %s', (text, expected) => {
  expect(() => parseDuration(text)).toThrow(expected);
  expect(parseDurationMs(text)).toBeUndefined();
});

test.each([
  [0, '0s'],
  [0.9, '0s'],
  [20.9, '20ms'],
  [1_000, '1s'],
  [1_050, '1.05s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
  [3_600_001, '1h0m0.001s'],
  [90_061_000, '25h1m1s'],
])('%d ms are %s', (ms, expected) => {
  expect(formatDuration(ms)).toBe(expected);
  expect(parseDuration(expected)).toBe(Math.trunc(ms));
});

test.each([
  [612.25, '612.25ms'],
  [600, '600ms'],
  [1_500, '1.5s'],
  [1_000, '1s'],
  [10_000, '10s'],
  [62_000.000001, '1m2.000000001s'],
  [600_500, '10m0.5s'],
  [3_600_000, '1h0m0s'],
])('prints %s ms that were measured as %s', (ms, text) => {
  expect(exactDuration(ms)).toBe(text);
});
