import { expect, test } from 'vitest';
import { BatchSpace } from './batch-space.ts';

test('parts of a batch do not overlap, and the next batch is given the same memory', () => {
  const space = new BatchSpace();
  const [first, second] = [space.take(100).fill('a'), space.take(200).fill('b')];
  expect([first.toString(), second.toString()]).toEqual(['a'.repeat(100), 'b'.repeat(200)]);
  space.reset();
  const again = space.take(300).fill('c');
  expect(first.toString()).toBe('c'.repeat(100));
  expect(again.buffer).toBe(first.buffer);
});

test('what does not fit has memory of its own', () => {
  const space = new BatchSpace();
  const small = space.take(10);
  const large = space.take(1_024 * 1_024).fill('x');
  expect(large.length).toBe(1_024 * 1_024);
  expect(large.buffer).not.toBe(small.buffer);
  expect(space.take(10).buffer).toBe(small.buffer);
});

test('after a failure nothing that was given out is given out again', () => {
  const space = new BatchSpace();
  const lost = space.take(10).fill('a');
  space.renew();
  space.take(10).fill('b');
  expect(lost.toString()).toBe('a'.repeat(10));
});
