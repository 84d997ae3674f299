import { expect, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { HeapTrim } from './heap-trim.ts';

const mebibyte = 2 ** 20;

test('a heap that has grown is collected once its process is idle, and not again before it grows', async () => {
  const clock = new FakeClock();
  let [cpuMs, heapBytes, collected] = [0, 40 * mebibyte, 0];
  const collect = (): void => {
    collected++;
    heapBytes = 20 * mebibyte;
  };
  const life = new AbortController();
  const trim = new HeapTrim({ clock, cpuMs: () => cpuMs, heapBytes: () => heapBytes, collect });
  const ended = trim.run(life.signal, () => undefined);
  const pass = async (busyMs: number): Promise<number> => {
    cpuMs += busyMs;
    await clock.advance(30_000);
    return collected;
  };
  expect(await pass(3_000)).toBe(0);
  expect(await pass(300)).toBe(1);
  expect(await pass(300)).toBe(1);
  heapBytes += 5 * mebibyte;
  expect(await pass(300)).toBe(1);
  heapBytes += 2 * mebibyte;
  expect(await pass(3_000)).toBe(1);
  expect(await pass(300)).toBe(2);
  life.abort(new Error('over'));
  await ended;
});

test('V8 collects', async () => {
  const clock = new FakeClock();
  const life = new AbortController();
  // Only what nobody holds is finalized.
  let isGone = false;
  const registry = new FinalizationRegistry(() => (isGone = true));
  registry.register({ some: 'object' }, undefined);
  const ended = new HeapTrim({ clock, cpuMs: () => 0 }).run(life.signal, () => undefined);
  await clock.advance(30_000);
  for (let turn = 0; turn < 20 && !isGone; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isGone).toBe(true);
  life.abort(new Error('over'));
  await ended;
});
