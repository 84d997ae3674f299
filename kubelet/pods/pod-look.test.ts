import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import type { RuntimePod } from '../runtime/contract.ts';
import { PodLook } from './pod-look.ts';
import { aPod, observed, seen } from './testing.ts';
import { Wakeup } from './wakeup.ts';

const { signal } = new AbortController();
const noLogs = (): never => {
  throw new Error('nobody asks for logs');
};

test('a routine look asks the runtime only every five minutes, one with a reason at once', async () => {
  const clock = new FakeClock();
  let now: RuntimePod | undefined = observed([seen('c', 'running')]);
  const runtime = { podStatus: () => Promise.resolve(now), logs: noLogs };
  const look = new PodLook('u', { runtime, clock });
  const stateAfter = async (why: 'reason' | 'routine'): Promise<string | undefined> => {
    await look.take(why, aPod(), signal);
    return look.pod?.containers[0]?.state;
  };
  expect(look.hasLooked).toBe(false);
  expect(await stateAfter('routine'), 'the first look is never left out').toBe('running');
  expect(look.hasLooked).toBe(true);

  now = observed([seen('c', 1)]);
  await clock.advance(240_000);
  expect(await stateAfter('routine')).toBe('running');
  expect(await stateAfter('reason')).toBe('exited');
  expect(look.messages.get('c-0')).toBe('');

  now = undefined;
  await clock.advance(299_999);
  expect(await stateAfter('routine')).toBe('exited');
  await clock.advance(1);
  expect(await stateAfter('routine')).toBeUndefined();
  expect(look.messages.size, 'the words of containers that are gone').toBe(0);
  expect(look.hasLooked).toBe(true);
});

test('a failed look is not taken for one', async () => {
  const clock = new FakeClock();
  let fails = true;
  const runtime = {
    podStatus: () => (fails ? Promise.reject(new Error('the engine is away')) : Promise.resolve(observed([]))),
    logs: noLogs,
  };
  const look = new PodLook('u', { runtime, clock });
  await expect(look.take('reason', aPod(), signal)).rejects.toThrow('the engine is away');
  expect(look.hasLooked).toBe(false);
  fails = false;
  await look.take('routine', aPod(), signal);
  expect(look.hasLooked).toBe(true);
});

test('who waits learns whether he was woken', async () => {
  const clock = new FakeClock();
  const wakeup = new Wakeup();
  const due = wakeup.wait(60_000, clock, signal);
  await clock.advance(60_000);
  expect(await due).toBe('due');
  const woken = wakeup.wait(60_000, clock, signal);
  wakeup.set();
  expect(await woken).toBe('set');
  wakeup.set();
  expect(await wakeup.wait(0, clock, signal)).toBe('set');
});
