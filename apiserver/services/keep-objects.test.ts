import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { keepObjects } from './keep-objects.ts';

test('it looks at every interval, soon after a failure, and is ready once a look went well', async () => {
  const clock = new FakeClock();
  const life = new AbortController();
  const looks: number[] = [];
  let readyMs: number | undefined;
  const reconcile = async (): Promise<void> => {
    looks.push(clock.nowMs());
    if (looks.length === 1) throw new Error('not yet');
  };
  const startMs = clock.nowMs();
  const ended = keepObjects({ what: 'things', reconcile, intervalMs: 60_000, clock, log: silentLog }, life.signal, () => {
    readyMs = clock.nowMs() - startMs;
  });
  for (let second = 0; second < 75; second++) await clock.advance(1_000);
  life.abort();
  await ended;
  expect(looks.map((atMs) => atMs - startMs)).toEqual([0, 10_000, 70_000]);
  expect(readyMs).toBe(10_000);
});
