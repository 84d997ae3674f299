import { describe, expect, test } from 'vitest';
import { addressNumber, addressText, ipRangeOf, parseIpRange } from './ip-range.ts';
import { NumberPool } from './number-pool.ts';

const pool = (last: number, reserved = 0): NumberPool => new NumberPool([{ first: 1, last, reserved }]);

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

  test('gives out of all bands, and of others once told so; what is held stays held', () => {
    const numbers = new NumberPool([
      { first: 1, last: 2, reserved: 0 },
      { first: 2, last: 3, reserved: 0 },
    ]);
    expect(new Set(['a', 'b', 'c'].map((owner) => numbers.takeAny(owner)))).toEqual(new Set([1, 2, 3]));
    expect(numbers.takeAny('d')).toBeUndefined();
    numbers.useBands([{ first: 3, last: 4, reserved: 0 }]);
    expect([numbers.takeAny('d'), numbers.takeAny('e')]).toEqual([4, undefined]);
    expect([numbers.hold(1, 'd'), numbers.take(9, 'd'), numbers.hold(9, 'd'), numbers.take(9, 'd')]).toEqual([
      'taken',
      'out-of-range',
      'new',
      'own',
    ]);
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
    expect([range.at(1), range.at(10), addressText(range.first), addressText(range.last)]).toEqual([
      '10.96.0.1',
      '10.96.0.10',
      '10.96.0.1',
      '10.111.255.254',
    ]);
    const addresses = ['10.96.0.1', '10.111.255.254', '10.112.0.1', '10.96.0.0'].map((text) => addressNumber(text) ?? 0);
    expect(addresses.map((address) => range.holds(address))).toEqual([true, true, false, true]);
    expect(ipRangeOf('10.1.2.3/31')).toMatchObject({ text: '10.1.2.2/31' });
    expect(ipRangeOf('fd00::/108')).toBeUndefined();
  });

  test.each(['10.96.0.0', '10.96.0.0/33', 'fd00::/108', 'x/12', '10.96.0.0/12/1', '10.96.0.0/12,fd00::/108'])('refuses %s', (text) => {
    expect(() => parseIpRange(text)).toThrow(/service range/);
  });
});
