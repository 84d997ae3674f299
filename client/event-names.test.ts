import { expect, test } from 'vitest';
import { EventNames } from './event-names.ts';

const nowMs = Date.UTC(2026, 0, 1);

test('are the object and the nanoseconds, and fit', () => {
  const names = new EventNames();
  expect(names.next('web', nowMs)).toMatch(/^web\.[0-9a-f]{16}$/);
  expect(names.next('x'.repeat(253), nowMs)).toHaveLength(253);
});

test('ascend within a millisecond, and when the clock goes back', () => {
  const names = new EventNames();
  const made = [0, 0, 0, 1, 1, -5_000].map((ms) => names.next('web', nowMs + ms));
  expect(made).toEqual([...new Set(made)].toSorted());
});

test('of several processes differ in the same millisecond', () => {
  const made = Array.from({ length: 20 }, () => new EventNames().next('node-1', nowMs));
  expect(new Set(made).size).toBeGreaterThan(18);
});
