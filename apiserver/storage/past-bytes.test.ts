import { expect, test } from 'vitest';
import { PastBytes } from './past-bytes.ts';

const slabBytes = 256 * 1_024;
const filled = (length: number, value: number): Buffer => Buffer.alloc(length, value);

test('what is kept lies side by side, and the next slab begins where the last one is full', () => {
  const past = new PastBytes();
  const originals = Array.from({ length: 30 }, (_, at) => filled(10_000 + at, at));
  const kept = originals.map((bytes) => past.keep(bytes));
  expect(kept.every((bytes, at) => bytes.equals(originals[at] ?? Buffer.alloc(0)))).toBe(true);
  expect(kept[1]?.byteOffset).toBe(10_000);
  expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(2);
  expect(kept.every(({ buffer }) => buffer.byteLength === slabBytes)).toBe(true);
});

test('what is large is not copied', () => {
  const large = filled(slabBytes / 8 + 1, 1);
  expect(new PastBytes().keep(large)).toBe(large);
});
