import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { MemoryStore } from '../storage/memory.ts';
import { ServerLeases } from './server-leases.ts';

const signal = new AbortController().signal;

test('a server counts as long as it renews', async () => {
  const clock = new FakeClock();
  await using store = new MemoryStore({ clock, isSoleWriter: false });
  const [a, b] = [new ServerLeases({ store }), new ServerLeases({ store })];
  await a.renew('10.0.0.2', signal);
  await b.renew('10.0.0.1', signal);
  expect(await a.addresses('10.0.0.2', signal)).toEqual(['10.0.0.1', '10.0.0.2']);
  await clock.advance(10_000);
  await a.renew('10.0.0.2', signal);
  await clock.advance(6_000);
  expect(await a.addresses('10.0.0.2', signal)).toEqual(['10.0.0.2']);
  await b.renew('10.0.0.1', signal);
  expect(await a.addresses('10.0.0.2', signal)).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('a server that stops is gone at once', async () => {
  await using store = new MemoryStore({ clock: new FakeClock(), isSoleWriter: false });
  const leases = new ServerLeases({ store });
  await leases.renew('10.0.0.1', signal);
  await leases.renew('10.0.0.2', signal);
  await leases.release('10.0.0.1', signal);
  await leases.release('10.0.0.1', signal);
  expect(await leases.addresses('10.0.0.2', signal)).toEqual(['10.0.0.2']);
});

test('a server is never without itself', async () => {
  await using store = new MemoryStore({ clock: new FakeClock(), isSoleWriter: false });
  expect(await new ServerLeases({ store }).addresses('10.0.0.9', signal)).toEqual(['10.0.0.9']);
});

test('alone on its store it writes nothing', async () => {
  await using store = new MemoryStore({ clock: new FakeClock() });
  const leases = new ServerLeases({ store });
  const before = await store.currentRevision(signal);
  await leases.renew('10.0.0.1', signal);
  expect(await leases.addresses('10.0.0.1', signal)).toEqual(['10.0.0.1']);
  await leases.release('10.0.0.1', signal);
  expect(await store.currentRevision(signal)).toBe(before);
});
