import { expect, test } from 'vitest';
import { wantedTtl } from './secret-ttl.ts';

test.each<[current: string | undefined, nodes: number, wanted: string]>([
  [undefined, 1, '0'],
  [undefined, 100, '0'],
  [undefined, 101, '15'],
  [undefined, 12_000, '600'],
  // Where two steps meet, a node stays on its own.
  ['15', 95, '15'],
  ['0', 95, '0'],
  ['15', 89, '0'],
  ['0', 101, '15'],
  ['30', 950, '30'],
  ['60', 950, '60'],
  ['60', 899, '30'],
  ['600', 9_500, '600'],
  ['300', 10_001, '600'],
  // What nobody could have written is mended.
  ['soon', 3, '0'],
  ['-1', 700, '30'],
])('a node that says %s, of %d, says %s', (current, nodes, wanted) => {
  expect(wantedTtl(current, nodes)).toBe(wanted);
  expect(wantedTtl(wanted, nodes)).toBe(wanted);
});
