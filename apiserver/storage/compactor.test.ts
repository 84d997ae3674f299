import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { Compactor } from './compactor.ts';
import { MemoryStore } from './memory.ts';

test.each([
  [undefined, 600_000, [1, 1]],
  [60_000, 180_000, [1, 1, 1]],
  [0, 3_600_000, []],
])('with a period of %s ms, history is forgotten so often within %d ms', async (periodMs, spanMs, expected) => {
  const clock = new FakeClock();
  await using store = new MemoryStore({ clock });
  await store.put('/a', Buffer.from('x'), { expectedRevision: 0 }, new AbortController().signal);
  const forgotten: number[] = [];
  store.compact = async (revision) => void forgotten.push(revision);
  const life = new AbortController();
  const compactor = new Compactor({ store, clock, log: silentLog, periodMs });
  const ended = compactor.run(life.signal, () => undefined);
  await clock.advance(spanMs);
  life.abort();
  await ended;
  expect(forgotten).toEqual(expected);
  expect(compactor.forgottenRevision).toBe(expected.at(-1) ?? 0);
});
