import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Heartbeats } from './heartbeats.ts';

test('a node is silent since its mark changed last', async () => {
  const clock = new FakeClock();
  const heartbeats = new Heartbeats();
  expect(heartbeats.silentMs('n1', 'a', clock)).toBe(0);
  await clock.advance(3_000);
  expect(heartbeats.silentMs('n1', 'a', clock)).toBe(3_000);
  expect(heartbeats.silentMs('n2', 'a', clock)).toBe(0);
  expect(heartbeats.silentMs('n1', 'b', clock)).toBe(0);
  await clock.advance(1_000);
  expect(heartbeats.silentMs('n1', 'b', clock)).toBe(1_000);
  heartbeats.forget('n1');
  expect(heartbeats.silentMs('n1', 'b', clock)).toBe(0);
});
