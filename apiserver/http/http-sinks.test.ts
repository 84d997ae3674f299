import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { drainOf } from './http-sinks.ts';

/** What becomes of a full connection, and how often it was cut. */
async function outcome(act: (given: { target: EventEmitter; clock: FakeClock; life: AbortController }) => unknown): Promise<number> {
  const [target, clock, life] = [new EventEmitter(), new FakeClock(), new AbortController()];
  let cuts = 0;
  if (act === endedBefore) endedBefore({ life });
  const drained = drainOf(target, clock, life.signal, () => void cuts++);
  await act({ target, clock, life });
  await drained;
  expect(target.listenerCount('drain')).toBe(0);
  return cuts;
}

function endedBefore({ life }: { readonly life: AbortController }): void {
  life.abort(new Error('the watch is over'));
}

test.each<[string, number, Parameters<typeof outcome>[0]]>([
  ['goes on when the other side has read', 0, ({ target }) => target.emit('drain')],
  ['is cut when the other side does not read', 1, ({ clock }) => clock.advance(30_000)],
  ['is cut when the watch ends meanwhile', 1, ({ life }) => life.abort(new Error('the watch is over'))],
  ['is cut when the watch had ended before', 1, endedBefore],
])('a full connection %s', async (_, cuts, act) => {
  expect(await outcome(act)).toBe(cuts);
});
