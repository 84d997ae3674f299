import { expect, test } from 'vitest';
import { nextAddress, usableAddress } from './pool.ts';

const pool = '172.31.254.0/29';

test.each<[ip: string, usable: boolean]>([
  ['172.31.254.0', false],
  ['172.31.254.1', true],
  ['172.31.254.6', true],
  ['172.31.254.7', false],
  ['172.31.253.255', false],
])('%s usable: %s', (ip, usable) => {
  expect(usableAddress(pool, ip)).toBe(usable);
});

test.each<[what: string, taken: string[], wished: string | undefined, expected: string | undefined]>([
  ['the first', [], undefined, '172.31.254.1'],
  ['the first that is free', ['172.31.254.1', '172.31.254.3'], undefined, '172.31.254.2'],
  ['the wished one', ['172.31.254.1'], '172.31.254.5', '172.31.254.5'],
  ['an empty wish is none', [], '', '172.31.254.1'],
  ['a wish that is taken', ['172.31.254.5'], '172.31.254.5', undefined],
  ['a wish from elsewhere', [], '10.0.0.1', undefined],
  ['nothing left', [1, 2, 3, 4, 5, 6].map((last) => `172.31.254.${last}`), undefined, undefined],
])('%s', (_what, taken, wished, expected) => {
  expect(nextAddress(pool, new Set(taken), wished)).toBe(expected);
});
