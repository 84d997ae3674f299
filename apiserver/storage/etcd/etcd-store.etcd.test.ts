import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { EtcdCluster } from '#test/testbed/etcd.ts';
import { testStore } from '../conformance.ts';
import type { StoreEvent } from '../contract.ts';
import { EtcdStore } from './etcd-store.ts';

const noTls = { caFile: undefined, certFile: undefined, keyFile: undefined };
const { signal } = new AbortController();
let cluster: EtcdCluster;
let opened = 0;

// The largest value and what surrounds it make a request that is larger than etcd takes by default.
beforeAll(async () => void (cluster = await EtcdCluster.start({ flags: [`--max-request-bytes=${2 * 1_024 * 1_024}`] })));
afterAll(() => cluster[Symbol.asyncDispose]());

/** Its keys lie below a prefix of its own. */
function openFresh(): Promise<EtcdStore> {
  return openAt(`/test-${opened++}`);
}

function openAt(prefix: string, store = ''): Promise<EtcdStore> {
  const place = { store, etcd: prefix };
  return EtcdStore.open({ servers: cluster.servers, tls: noTls, clock: systemClock, log: silentLog, place }, signal);
}

testStore('EtcdStore', openFresh, { ttlSeconds: 3, pass: (_clock, seconds) => sleep(seconds * 1_000) });

describe('EtcdStore', () => {
  test('keys lie below the prefix that was chosen, and only those are told', async () => {
    await using store = await openAt('/my/cluster', '/registry');
    await using plain = await openAt('', '');
    await put(store, '/registry/pods/a', 'one');
    expect(text((await plain.get('/my/cluster/pods/a', signal))?.value)).toBe('one');
    const progress = Promise.withResolvers<number>();
    const start = await store.currentRevision(signal);
    const events = collect(store, start, 1, progress.resolve);
    await put(plain, '/others', 'x');
    expect(await progress.promise).toBe(start + 1);
    const revision = await put(store, '/registry/pods/b', 'two');
    expect((await events).map(({ key }) => key)).toEqual(['/registry/pods/b']);
    expect(revision).toBe(start + 2);
  });

  test('says how large the database is', async () => {
    await using store = await openFresh();
    await put(store, '/k', 'x'.repeat(100_000));
    expect(await store.sizeBytes(signal)).toBeGreaterThan(100_000);
  });

  test('callers that ask for the newest revision at once share an answer that is not older than any of them', async () => {
    await using store = await openFresh();
    for (let round = 0; round < 20; round++) {
      const early = store.currentRevision(signal);
      const written = await put(store, `/k/${round}`, 'x');
      const late = await Promise.all(Array.from({ length: 5 }, () => store.currentRevision(signal)));
      for (const revision of late) expect(revision).toBeGreaterThanOrEqual(written);
      await early;
    }
  });

  test('lists longer than a page of etcd show one state', async () => {
    await using store = await openFresh();
    await Promise.all(Array.from({ length: 1_100 }, (_, at) => put(store, `/k/${at}`, 'old')));
    const listing = store.list('/k/', {}, signal);
    await Promise.all(Array.from({ length: 100 }, (_, at) => put(store, `/k/new-${at}`, 'new')));
    const { items, revision, more } = await listing;
    expect(items.every((item) => item.modRevision <= revision)).toBe(true);
    expect([items.filter((item) => text(item.value) === 'old').length, more]).toEqual([1_100, false]);
    const part = await store.list('/k/', { limit: 700 }, signal);
    expect([part.items.length, part.more]).toEqual([700, true]);
  });

  test('of two servers one has the turn to compact, and the next one is open to both', async () => {
    await using first = await openFresh();
    await using second = await openFresh();
    expect(await first.claimCompaction(1, signal)).toBe(true);
    expect(await second.claimCompaction(1, signal)).toBe(false);
    expect(await second.claimCompaction(1, signal)).toBe(true);
    expect(await first.claimCompaction(1, signal)).toBe(false);
    expect(await first.claimCompaction(1, signal)).toBe(true);
  });
});

async function put(store: EtcdStore, key: string, value: string, expectedRevision = 0): Promise<number> {
  const result = await store.put(key, Buffer.from(value), { expectedRevision }, signal);
  if (!result.ok) throw new Error(`the guard of ${key} did not hold`);
  return result.revision;
}

async function collect(store: EtcdStore, after: number, count: number, onProgress?: (revision: number) => void): Promise<StoreEvent[]> {
  const stop = new AbortController();
  const events: StoreEvent[] = [];
  for await (const batch of store.watch('/registry/', after, stop.signal, onProgress)) {
    events.push(...batch);
    if (events.length >= count) stop.abort();
  }
  return events;
}

function text(value: Uint8Array | undefined): string {
  return value === undefined ? '' : Buffer.from(value).toString();
}
