import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { EtcdCluster } from '#test/testbed/etcd.ts';
import { testStore } from '../conformance.ts';
import type { StoreEvent } from '../contract.ts';
import { revisionsPerCommit } from './commit-place.ts';
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
    expect(await progress.promise).toBe(start + revisionsPerCommit);
    const revision = await put(store, '/registry/pods/b', 'two');
    expect((await events).map(({ key }) => key)).toEqual(['/registry/pods/b']);
    expect(revision).toBe(start + 2 * revisionsPerCommit);
  });

  test('writes that come at once share commits', async () => {
    await using store = await openFresh();
    const start = await store.currentRevision(signal);
    await Promise.all(Array.from({ length: 500 }, (_, at) => put(store, `/k/${at}`, 'x')));
    expect(((await store.currentRevision(signal)) - start) / revisionsPerCommit).toBeLessThan(20);
  });

  test('large values at once are written in commits that etcd takes', async () => {
    await using store = await openFresh();
    const large = 'x'.repeat(700_000);
    await Promise.all(Array.from({ length: 8 }, (_, at) => put(store, `/k/${at}`, large)));
    const { items } = await store.list('/k/', {}, signal);
    expect(items.map(({ value }) => value.length)).toEqual(Array.from({ length: 8 }, () => large.length));
  });

  test('writes of one key at once, of which one is allowed, do not come into one commit', async () => {
    await using store = await openFresh();
    const first = await put(store, '/k', 'x');
    const put1 = store.put('/k', Buffer.from('y'), { expectedRevision: first }, signal);
    const others = Array.from({ length: 5 }, (_, at) => put(store, `/other/${at}`, 'x'));
    const removed = store.delete('/k', first, signal);
    expect(await put1).toMatchObject({ ok: true });
    expect(await removed).toMatchObject({ ok: false, current: { value: Buffer.from('y') } });
    expect(new Set(await Promise.all(others)).size).toBe(5);
  });

  test('what expires at once has revisions of its own', async () => {
    await using store = await openFresh();
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        store.put(`/registry/e/${at}`, Buffer.from('x'), { expectedRevision: 0, ttlSeconds: 1 }, signal),
      ),
    );
    const start = await store.currentRevision(signal);
    const gone = await collect(store, start, 20);
    const revisions = gone.map(({ revision }) => revision);
    expect([new Set(revisions).size, gone.every(({ type }) => type === 'delete')]).toEqual([20, true]);
    const rest = await collect(store, revisions[7] ?? 0, 12);
    expect(rest.map(({ key }) => key)).toEqual(gone.slice(8).map(({ key }) => key));
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
