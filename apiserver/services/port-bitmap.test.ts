import { describe, expect, test } from 'vitest';
import { PortBitmap } from './port-bitmap.ts';

const range = { first: 30_000, last: 30_019 };

describe('record of node ports', () => {
  test('has the form of upstream', () => {
    const bitmap = new PortBitmap(range);
    for (const port of [30_000, 30_009, 30_019]) expect(bitmap.take(port)).toBe(true);
    const stored = JSON.parse(Buffer.from(bitmap.encode()).toString());
    expect(stored).toEqual({ kind: 'RangeAllocation', apiVersion: 'v1', metadata: {}, range: '30000-30019', data: 'CAIB' });
    expect([...(PortBitmap.decode(bitmap.encode())?.ports() ?? [])]).toEqual([30_000, 30_009, 30_019]);
  });

  test('nothing is taken at first, and an empty one is short', () => {
    expect(JSON.parse(Buffer.from(new PortBitmap(range).encode()).toString())).toMatchObject({ data: '' });
    expect([...(PortBitmap.decode(new PortBitmap(range).encode())?.ports() ?? [1])]).toEqual([]);
  });

  test('a port is taken once, and none outside of the range', () => {
    const bitmap = new PortBitmap(range);
    expect([bitmap.take(30_001), bitmap.take(30_001), bitmap.take(30_020), bitmap.take(29_999)]).toEqual([true, false, false, false]);
    expect([bitmap.free(30_001), bitmap.free(30_001), bitmap.free(30_020)]).toEqual([true, false, false]);
    expect(bitmap.has(30_001)).toBe(false);
  });

  test('a copy is another one', () => {
    const bitmap = new PortBitmap(range);
    const copy = bitmap.copy();
    copy.take(30_001);
    expect([bitmap.has(30_001), copy.has(30_001), bitmap.equals(copy)]).toEqual([false, true, false]);
  });

  test.each(['', 'k8s\0x', '{}', '{"range":"x"}', '{"range":"3-2"}', '{"range":"1-70000"}'])('%j is none', (text) => {
    expect(PortBitmap.decode(Buffer.from(text))).toBeUndefined();
  });
});
