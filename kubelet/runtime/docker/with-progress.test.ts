import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { withProgress } from './with-progress.ts';

const limit = { limitMs: 60_000, stalled: () => new Error('it stands still') };
/** Breaks off as a request does: with an error of its own. */
const broken = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

test('what comes further may take as long as it likes', async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  let progress = (): void => undefined;
  const finished = Promise.withResolvers<string>();
  const work = withProgress(limit, (_, progressed) => ((progress = progressed), finished.promise), clock, signal);
  for (let at = 0; at < 10; at++) {
    await clock.advance(59_000);
    progress();
  }
  finished.resolve('done');
  expect(await work).toBe('done');
});

test('what stands still is broken off, and that is said', async () => {
  const clock = new FakeClock();
  const work = withProgress(limit, broken, clock, new AbortController().signal);
  const outcome = expect(work).rejects.toThrow('it stands still');
  await clock.advance(60_000);
  await outcome;
});

test('whoever gives up breaks it off, too', async () => {
  const life = new AbortController();
  const work = withProgress(limit, broken, new FakeClock(), life.signal);
  life.abort(new Error('no longer wanted'));
  await expect(work).rejects.toThrow('aborted');
});
