import { expect, test } from 'vitest';
import { serviceCidr } from '#api/networking/service-cidr.ts';
import type { KindDefinition } from '#api/kind.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { followKind } from './follow-kind.ts';
import type { Registry } from './registry/contract.ts';

test('objects that cannot be read are listed again at growing intervals, and at the first one after they could be', async () => {
  const clock = new FakeClock();
  let lists = 0;
  let isReadable = false;
  const registry = {
    list: () => {
      lists++;
      return isReadable ? Promise.resolve({ items: [], resourceVersion: '1' }) : Promise.reject(new Error('sealed'));
    },
    watch: () => Promise.resolve([]),
  } as unknown as Registry;
  const follower = { set: () => undefined, remove: () => undefined, retain: () => undefined };
  const stop = new AbortController();
  let ready = 0;
  const kind = serviceCidr as unknown as KindDefinition;
  const running = followKind({ registry, kind, clock, log: silentLog }, follower).run(stop.signal, () => ready++);
  await clock.advance(10_000);
  expect([lists, ready]).toEqual([7, 0]);
  isReadable = true;
  await clock.advance(5_000);
  expect(ready).toBeGreaterThan(0);
  lists = 0;
  await clock.advance(1_000);
  expect(lists).toBe(10);
  stop.abort(new Error('over'));
  await running;
});
