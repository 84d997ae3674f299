import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  cpuMillis,
  formatQuantity,
  isWholeQuantity,
  parseQuantity,
  quantityBytes,
  roundToMilli,
  signOfQuantity,
  subtractQuantities,
} from './quantity.ts';

test.each([
  ['0', '0'],
  ['0Ki', '0'],
  ['00', '0'],
  ['0.0', '0'],
  ['-0', '0'],
  ['1', '1'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['100m', '100m'],
  ['1500m', '1500m'],
  ['1500', '1500'],
  ['2000', '2k'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1025Ki', '1025Ki'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['512Mi', '512Mi'],
  ['8Gi', '8Gi'],
  ['0.1Mi', '104857600m'],
  ['1e3', '1e3'],
  ['1000e3', '1e6'],
  ['1E3', '1E3'],
  ['12E', '12E'],
  ['1.2345', '1234500u'],
  ['0.0000000001', '1n'],
  ['0.00000000011', '1n'],
  ['-0.0000000001', '-1n'],
  ['9223372036854775808Ki', '9223372036854775807'],
  ['100000000000000000000', '100E'],
  ['+5', '+5'],
])('%s reads back as %s', (text, expected) => {
  expect(canonicalQuantity(text)).toBe(expected);
});

test.each([
  ['', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ['abc', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ['1 Gi', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ['1.2.3', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ['1K', "unable to parse quantity's suffix"],
  ['1e', "unable to parse quantity's suffix"],
  ['1mi', "unable to parse quantity's suffix"],
  ['1Ki5', "unable to parse quantity's suffix"],
  ['.', 'unable to parse numeric part of quantity'],
])('%j is refused', (text, message) => {
  expect(() => parseQuantity(text)).toThrow(message);
});

test.each([
  ['1Gi', '1G', 1],
  ['1000m', '1', 0],
  ['0.1', '100m', 0],
  ['-1', '0', -1],
  ['1n', '1u', -1],
])('%s against %s', (left, right, expected) => {
  expect(compareQuantities(left, right)).toBe(expected);
});

test('sums keep the format of what is not zero', () => {
  expect(formatQuantity(addQuantities('512Mi', '512Mi'))).toBe('1Gi');
  expect(formatQuantity(addQuantities('0', '1Gi'))).toBe('1Gi');
  expect(formatQuantity(addQuantities('250m', '0.75'))).toBe('1');
  expect(formatQuantity(subtractQuantities('1Gi', '512Mi'))).toBe('512Mi');
  expect(formatQuantity(subtractQuantities('1', '1'))).toBe('0');
  expect(formatQuantity(subtractQuantities('100m', '1'))).toBe('-900m');
});

test('helpers for the common resources round up', () => {
  expect(cpuMillis('2')).toBe(2_000);
  expect(cpuMillis('250m')).toBe(250);
  expect(cpuMillis('0.0001')).toBe(1);
  expect(cpuMillis(undefined)).toBe(0);
  expect(quantityBytes('1Ki')).toBe(1_024);
  expect(quantityBytes('1.5Gi')).toBe(1_610_612_736);
  expect(quantityBytes('100m')).toBe(1);
  expect(formatQuantity(roundToMilli(parseQuantity('0.0001')))).toBe('1m');
  expect(isWholeQuantity('1500m')).toBe(false);
  expect(isWholeQuantity('2000m')).toBe(true);
  expect(signOfQuantity('-3')).toBe(-1);
});

test('canonical text stays, and stands for the same amount', () => {
  const text = fc
    .tuple(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.option(fc.nat(999)),
      fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e2'),
    )
    .map(([whole, fraction, suffix]) => `${whole}${fraction === null ? '' : `.${fraction}`}${suffix}`);
  fc.assert(
    fc.property(text, (input) => {
      const once = canonicalQuantity(input);
      expect(canonicalQuantity(once)).toBe(once);
      expect(compareQuantities(once, parseQuantity(input))).toBe(0);
    }),
  );
});
