import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import { beforeRequests, inOrder } from './before-requests.ts';

test.each<[string, { isWell: boolean; readyAfterMs: number; wantedMs: number }]>([
  ['with all of it', { isWell: true, readyAfterMs: 60_000, wantedMs: 60_000 }],
  ['with all of it, though a plugin is away', { isWell: false, readyAfterMs: 10, wantedMs: 10 }],
  ['after a while where a plugin is away', { isWell: false, readyAfterMs: 60_000, wantedMs: 5_000 }],
])('requests are let in %s', async (_, { isWell, readyAfterMs, wantedMs }) => {
  const clock = new FakeClock();
  const life = new AbortController();
  const seen: string[] = [];
  const slow: Service = {
    name: 'slow',
    run: async (signal, ready) => {
      await clock.sleep(readyAfterMs, signal);
      seen.push('done');
      ready();
      await aborted(signal);
    },
  };
  const service = beforeRequests(inOrder('some', [slow]), {
    checks: [{ name: 'kms-providers', on: ['readyz'], check: () => isWell || 'away' }],
    clock,
  });
  const ended = service.run(life.signal, () => seen.push(`let in after ${clock.monotonicMs()}`));
  await clock.advance(60_000);
  expect(seen).toContain('done');
  expect(seen.find((one) => one.startsWith('let in'))).toBe(`let in after ${wantedMs}`);
  life.abort(new Error('over'));
  await ended;
});
