import { describe, expect, test } from 'vitest';
import { parseIpRange } from './ip-range.ts';
import { NumberPool } from './number-pool.ts';

const pool = (last: number, reserved = 0): NumberPool => new NumberPool({ first: 1, last, reserved });

describe('number pool', () => {
  test('gives each number once until it is full', () => {
    const numbers = pool(3);
    const given = [1, 2, 3].map((at) => numbers.takeAny(`o${at}`));
    expect(new Set(given)).toEqual(new Set([1, 2, 3]));
    expect(numbers.takeAny('late')).toBeUndefined();
  });

  test('tells new from own, taken and impossible', () => {
    const numbers = pool(3);
    expect(['a', 'a', 'b'].map((owner) => numbers.take(2, owner))).toEqual(['new', 'own', 'taken']);
    expect(numbers.take(4, 'a')).toBe('out-of-range');
  });

  test('only the owner gives back', () => {
    const numbers = pool(3);
    numbers.take(1, 'a');
    numbers.release([1], 'b');
    expect(numbers.take(1, 'b')).toBe('taken');
    numbers.release([1], 'a');
    expect(numbers.take(1, 'b')).toBe('new');
  });

  test('reserved numbers are given by chance only at the end', () => {
    const numbers = pool(4, 2);
    const given = ['a', 'b'].map((owner) => numbers.takeAny(owner));
    expect(new Set(given)).toEqual(new Set([3, 4]));
    expect([1, 2]).toContain(numbers.takeAny('c'));
  });
});

describe('address range', () => {
  test('counts from the network address', () => {
    const range = parseIpRange('10.96.0.0/12');
    expect([range.at(1), range.at(10), range.size]).toEqual(['10.96.0.1', '10.96.0.10', 1_048_574]);
    const addresses = ['10.96.0.1', '10.111.255.254', '10.112.0.1', '10.96.0.0'];
    expect(addresses.map((address) => range.offsetOf(address))).toEqual([1, 1_048_574, undefined, undefined]);
  });

  test.each(['10.96.0.0', '10.96.0.0/33', 'fd00::/108', 'x/12', '10.96.0.0/12/1'])('refuses %s', (text) => {
    expect(() => parseIpRange(text)).toThrow(/service range/);
  });
});
