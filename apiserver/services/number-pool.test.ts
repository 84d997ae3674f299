import { describe, expect, test } from 'vitest';
import { NumberPool } from './number-pool.ts';
import { parseIpRange } from './ip-range.ts';

function pool(last: number, reserved = 0): { pool: NumberPool; pass: (ms: number) => void } {
  let nowMs = 0;
  return { pool: new NumberPool({ first: 1, last, reserved, nowMs: () => nowMs }), pass: (ms) => (nowMs += ms) };
}

describe('number pool', () => {
  test('gives each number once until it is full', () => {
    const { pool: numbers } = pool(3);
    const given = [1, 2, 3].map((at) => numbers.takeAny(`o${at}`, false));
    expect(given.toSorted()).toEqual([1, 2, 3]);
    expect(numbers.takeAny('late', false)).toBe('full');
  });

  test('what is never seen in the store comes back, what is seen stays', () => {
    const { pool: numbers, pass } = pool(2);
    numbers.take(1, 'seen', false);
    numbers.take(2, 'lost', false);
    numbers.holds('seen', [1]);
    pass(60_000);
    expect(numbers.take(2, 'other', false)).toBeUndefined();
    expect(numbers.take(1, 'other', false)).toBe('taken');
  });

  test('a deletion gives back, a change too', () => {
    const { pool: numbers } = pool(3);
    numbers.holds('a', [1, 2]);
    numbers.holds('a', [2]);
    expect(numbers.take(1, 'b', false)).toBeUndefined();
    numbers.holds('a', []);
    expect(numbers.take(2, 'b', false)).toBeUndefined();
  });

  test('a dry run takes nothing', () => {
    const { pool: numbers } = pool(1);
    expect(numbers.takeAny('a', true)).toBe(1);
    expect(numbers.takeAny('b', false)).toBe(1);
  });

  test('reserved numbers are given by chance only at the end', () => {
    const { pool: numbers } = pool(4, 2);
    const given = ['a', 'b'].map((owner) => numbers.takeAny(owner, false));
    expect(given.toSorted()).toEqual([3, 4]);
    expect([1, 2]).toContain(numbers.takeAny('c', false));
  });

  test('outside of the range is refused', () => {
    expect(pool(3).pool.take(4, 'a', false)).toBe('out-of-range');
  });
});

describe('address range', () => {
  test('counts from the network address', () => {
    const range = parseIpRange('10.96.0.0/12');
    expect([range.at(1), range.at(10), range.size]).toEqual(['10.96.0.1', '10.96.0.10', 1_048_574]);
    expect([
      range.offsetOf('10.96.0.1'),
      range.offsetOf('10.111.255.254'),
      range.offsetOf('10.112.0.1'),
      range.offsetOf('10.96.0.0'),
    ]).toEqual([1, 1_048_574, undefined, undefined]);
  });

  test.each(['10.96.0.0', '10.96.0.0/33', 'fd00::/108', 'x/12', '10.96.0.0/12/1'])('refuses %s', (text) => {
    expect(() => parseIpRange(text)).toThrow(/service range/);
  });
});
