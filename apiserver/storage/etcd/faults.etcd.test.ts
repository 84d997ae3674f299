// What an etcd cluster may do to a store: members that die, hang or come back, history that is compacted, certificates that change.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { createCa } from '#base/pki.ts';
import { startTestApiServer } from '#apiserver/testing.ts';
import { connect } from '#client/rest.ts';
import { EtcdCluster, type EtcdClusterOptions } from '#test/testbed/etcd.ts';
import { Gate } from '#test/testbed/gate.ts';
import { StoreError, type StoreEvent } from '../contract.ts';
import { EtcdConnection } from './connection.ts';
import { EtcdStore } from './etcd-store.ts';
import { decodeRange, encodeRange, methods } from './messages.ts';

const noTls = { caFile: undefined, certFile: undefined, keyFile: undefined };
const { signal } = new AbortController();
const key = '/registry/a';
let open: AsyncDisposableStack;

beforeEach(() => void (open = new AsyncDisposableStack()));
afterEach(() => open[Symbol.asyncDispose]());

async function aCluster(options?: EtcdClusterOptions): Promise<EtcdCluster> {
  return open.use(await EtcdCluster.start(options));
}

async function leases(cluster: EtcdCluster): Promise<string[]> {
  const [, ...ids] = (await cluster.ctl('lease', 'list')).trim().split('\n');
  return ids;
}

async function aStore(cluster: EtcdCluster): Promise<EtcdStore> {
  return open.use(await EtcdStore.open({ servers: cluster.servers, tls: noTls, clock: systemClock, log: silentLog }, signal));
}

/** A store whose way to etcd can be cut. */
async function aStoreBehindAGate(cluster: EtcdCluster): Promise<{ store: EtcdStore; gate: Gate }> {
  const gate = open.use(await Gate.before(Number(new URL(cluster.servers[0] ?? '').port)));
  const servers = [`http://127.0.0.1:${gate.port}`];
  const store = open.use(await EtcdStore.open({ servers, tls: noTls, clock: systemClock, log: silentLog }, signal));
  return { store, gate };
}

/** Waits for a revision of `key` (0: it is not there) and answers it. */
async function until(store: EtcdStore, wanted: (revision: number) => boolean): Promise<number> {
  for (;;) {
    const revision = (await store.get(key, signal))?.modRevision ?? 0;
    if (wanted(revision)) return revision;
    await sleep(5);
  }
}

/** Whether a server of HTTP/2 has answered a request to its end: by a frame of headers (1) that ends a stream (flag 1). */
function isAnswered(bytes: Buffer): boolean {
  for (let at = 0; at + 5 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === 1 && ((bytes[at + 4] ?? 0) & 1) === 1) return true;
  return false;
}

/** Writes until told to stop, from several lanes, each counting its own keys; answers what was acknowledged. */
class Writers {
  readonly acknowledged = new Map<string, string>();
  /** Writes whose outcome the store does not know. */
  readonly unknown = new Set<string>();
  readonly refused: unknown[] = [];
  readonly #store: EtcdStore;
  #isOver = false;
  readonly #lanes: Promise<unknown>;

  constructor(store: EtcdStore, lanes = 8) {
    this.#store = store;
    this.#lanes = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#write(lane)));
  }

  async untilMore(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    while (this.acknowledged.size < wanted) await sleep(5);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#lanes;
  }

  async #write(lane: number): Promise<void> {
    for (let at = 0; !this.#isOver; at++) {
      const key = `/registry/${lane}/${at}`;
      const value = createHash('sha1').update(key).digest('hex');
      try {
        const made = await this.#store.put(key, Buffer.from(value), { expectedRevision: 0 }, signal);
        // Nobody else makes this key: a guard that does not hold would be our own write, reported as a failure.
        if (made.ok) this.acknowledged.set(key, value);
        else this.refused.push(key);
      } catch (error) {
        if (error instanceof StoreError && error.code === 'timeout') this.unknown.add(key);
        else this.refused.push(error);
      }
    }
  }
}

/** Follows the store; answers every event so far. */
function follow(store: EtcdStore): { events: StoreEvent[]; stop: AbortController; ended: Promise<unknown> } {
  const events: StoreEvent[] = [];
  const stop = new AbortController();
  const reading = async (): Promise<void> => {
    for await (const batch of store.watch('/registry/', 0, stop.signal)) events.push(...batch);
  };
  return { events, stop, ended: reading() };
}

async function expectAllThere(store: EtcdStore, writers: Writers, { events, stop, ended }: ReturnType<typeof follow>): Promise<void> {
  await writers.stop();
  expect(writers.refused).toEqual([]);
  const { items } = await store.list('/registry/', {}, signal);
  const stored = new Map(items.map((item) => [item.key, Buffer.from(item.value).toString()]));
  for (const [key, value] of writers.acknowledged) expect(stored.get(key)).toBe(value);
  for (const key of stored.keys()) expect(writers.acknowledged.has(key) || writers.unknown.has(key)).toBe(true);
  while (events.length < items.length) await sleep(5);
  stop.abort();
  await ended;
  expect(events.map(({ key }) => key).toSorted()).toEqual([...stored.keys()].toSorted());
  const revisions = events.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
}

test('a member killed while writes are under way: nothing acknowledged is lost, what is in doubt is found out, the watch goes on', async () => {
  const cluster = await aCluster();
  const store = await aStore(cluster);
  const watch = follow(store);
  const writers = new Writers(store);
  for (let round = 0; round < 3; round++) {
    await writers.untilMore(200);
    await cluster.signal(0, 'SIGKILL');
    await cluster.startMember(0);
  }
  await writers.untilMore(200);
  await expectAllThere(store, writers, watch);
});

test('of three members the one in use hangs, then another dies: the store goes on with the rest', async () => {
  const cluster = await aCluster({ members: 3 });
  const store = await aStore(cluster);
  const watch = follow(store);
  const writers = new Writers(store);
  await writers.untilMore(100);
  await cluster.signal(0, 'SIGSTOP');
  await writers.untilMore(100);
  await cluster.signal(0, 'SIGCONT');
  await writers.untilMore(100);
  await cluster.signal(1, 'SIGKILL');
  await writers.untilMore(100);
  await expectAllThere(store, writers, watch);
});

test('a store without a majority says that it does not answer, and answers again when there is one', async () => {
  const cluster = await aCluster({ members: 3 });
  const store = await aStore(cluster);
  void follow(store);
  await cluster.signal(1, 'SIGKILL');
  await cluster.signal(2, 'SIGKILL');
  await expect(store.currentRevision(AbortSignal.timeout(3_000))).rejects.toBeDefined();
  const put = store.put('/registry/a', Buffer.from('x'), { expectedRevision: 0 }, signal);
  await sleep(1_000);
  await cluster.startMember(1);
  expect(await put).toMatchObject({ ok: true });
});

test('history that is compacted under a server that is cut off: it reads the store anew, clients hear 410, nothing is missed', async () => {
  const cluster = await aCluster();
  const { store, gate } = await aStoreBehindAGate(cluster);
  const server = open.use(await startTestApiServer({ store }));
  const client = open.use(connect(server.adminClientConfig, { clock: systemClock, component: 'test' }));
  const key = { namespace: 'kube-system', name: 'old' };
  const made = await client.create(configMap, { metadata: key }, {}, signal);
  await client.create(configMap, { metadata: { ...key, name: 'gone' } }, {}, signal);

  gate.shut();
  const other = await aStore(cluster);
  const [path, lost] = [`/registry/configmaps/${key.namespace}/old`, `/registry/configmaps/${key.namespace}/gone`];
  const old = await other.get(path, signal);
  const renewed = await other.put(path, old?.value ?? Buffer.of(), { expectedRevision: old?.modRevision ?? 0 }, signal);
  await other.delete(lost, (await other.get(lost, signal))?.modRevision ?? 0, signal);
  await other.compact(await other.currentRevision(signal), signal);
  gate.open();

  const found = await client.get(configMap, key, signal);
  expect(found.metadata.resourceVersion).toBe(renewed.ok ? String(renewed.revision) : '');
  await expect(client.get(configMap, { ...key, name: 'gone' }, signal)).rejects.toMatchObject({ reason: 'NotFound' });
  const watching = async (): Promise<void> => {
    for await (const _ of client.watch(configMap, { resourceVersion: made.metadata.resourceVersion ?? '' }, signal)) return;
  };
  await expect(watching()).rejects.toMatchObject({ reason: 'Expired' });
});

describe('a write whose answer is lost', () => {
  test.each<[name: string, then: (store: EtcdStore, revision: number) => Promise<unknown>, ok: boolean | 'unknown']>([
    ['is found where it is', async () => undefined, true],
    ['is found behind a later one', (store, at) => store.put(key, Buffer.from('later'), { expectedRevision: at }, signal), true],
    ['is unknown once it was deleted', (store, at) => store.delete(key, at, signal), 'unknown'],
  ])('%s', async (_name, then, ok) => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    const first = await store.put(key, Buffer.from('first'), { expectedRevision: 0 }, signal);
    gate.deafen();
    const expectedRevision = first.ok ? first.revision : 0;
    const put = store.put(key, Buffer.from('mine'), { expectedRevision }, signal);
    const outcome = put.catch((error: unknown) => (error instanceof StoreError && error.code === 'timeout' ? 'unknown' : error));
    const mine = await until(other, (revision) => revision > expectedRevision);
    await then(other, mine);
    gate.shut();
    gate.open();
    expect(await outcome).toEqual(ok === 'unknown' ? ok : { ok, revision: mine });
  });

  test.each<[name: string, isWatched: boolean, wanted: object]>([
    ['and the watch told of it: unknown', true, { code: 'timeout' }],
    ['and nobody watched: unknown', false, { code: 'timeout' }],
  ])('a creation that was deleted is not made again, %s', async (_, isWatched, wanted) => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    if (isWatched) void follow(store);
    gate.deafen();
    const made = store.put(key, Buffer.from('mine'), { expectedRevision: 0 }, signal).catch((error: unknown) => error);
    const mine = await until(other, (revision) => revision > 0);
    await other.delete(key, mine, signal);
    gate.shut();
    gate.open();
    expect(await made).toMatchObject(wanted);
    expect(await other.get(key, signal)).toBeUndefined();
  });

  test('a creation that comes late, when it was made again and is deleted, does not happen', async () => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    await store.put('/registry/before', Buffer.from('x'), { expectedRevision: 0 }, signal);
    void follow(store);
    gate.hold();
    const making = store.put(key, Buffer.from('mine'), { expectedRevision: 0 }, signal);
    while (!gate.held.includes('mine')) await sleep(5);
    const late = gate.strand();
    const made = await making;
    expect(made.ok).toBe(true);
    await other.delete(key, made.ok ? made.revision : 0, signal);
    late.arrive();
    while (!isAnswered(late.answer)) await sleep(5);
    expect(await other.get(key, signal)).toBeUndefined();
    expect(await store.put(key, Buffer.from('again'), { expectedRevision: 0 }, signal)).toMatchObject({ ok: true });
  });

  test.each<[did: boolean, wanted: object]>([
    [true, { code: 'timeout' }],
    [false, { ok: false }],
  ])('a creation whose place somebody else took is unknown where it may have been there before (%s)', async (did, wanted) => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    void follow(store);
    if (did) gate.deafen();
    else gate.shut();
    const made = store.put(key, Buffer.from('mine'), { expectedRevision: 0 }, signal).catch((error: unknown) => error);
    if (did) await other.delete(key, await until(other, (revision) => revision > 0), signal);
    await other.put(key, Buffer.from('theirs'), { expectedRevision: 0 }, signal);
    gate.shut();
    gate.open();
    expect(await made).toMatchObject(wanted);
  });

  test('of somebody else who was first is refused', async () => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    const first = await store.put(key, Buffer.from('first'), { expectedRevision: 0 }, signal);
    const expectedRevision = first.ok ? first.revision : 0;
    gate.shut();
    const put = store.put(key, Buffer.from('mine'), { expectedRevision }, signal);
    const theirs = await other.put(key, Buffer.from('theirs'), { expectedRevision }, signal);
    gate.open();
    expect(await put).toMatchObject({ ok: false, current: { modRevision: theirs.ok ? theirs.revision : 0 } });
  });

  test('a deletion is unknown: another may have done it', async () => {
    const cluster = await aCluster();
    const { store, gate } = await aStoreBehindAGate(cluster);
    const other = await aStore(cluster);
    const first = await store.put(key, Buffer.from('first'), { expectedRevision: 0 }, signal);
    gate.deafen();
    const removed = store.delete(key, first.ok ? first.revision : 0, signal).catch((error: unknown) => error);
    await until(other, (revision) => revision === 0);
    gate.shut();
    gate.open();
    expect(await removed).toMatchObject({ code: 'timeout' });
  });
});

test('a lease is shared for a while; one that has gone is replaced', async () => {
  const cluster = await aCluster();
  const store = await aStore(cluster);
  for (let at = 0; at < 5; at++) {
    const result = await store.put(`/registry/events/${at}`, Buffer.from('x'), { expectedRevision: 0, ttlSeconds: 3_600 }, signal);
    expect(result.ok).toBe(true);
  }
  expect(await leases(cluster)).toHaveLength(1);
  for (const id of await leases(cluster)) await cluster.ctl('lease', 'revoke', id);
  expect((await store.list('/registry/events/', {}, signal)).items).toEqual([]);
  // Those that want the lease that is gone do not keep others from being written.
  const again = await Promise.all(
    Array.from({ length: 10 }, (_, at) => {
      const ttlSeconds = at % 2 === 0 ? 3_600 : undefined;
      return store.put(`/registry/events/${at}`, Buffer.from('x'), { expectedRevision: 0, ttlSeconds }, signal);
    }),
  );
  expect(again.every(({ ok }) => ok)).toBe(true);
});

test('with TLS only who has a certificate is let in; a new one is taken while the store is open', async () => {
  const cluster = await aCluster({ tls: true });
  await cluster.writeCertificate('client');
  const tls = { caFile: cluster.path('ca.crt'), certFile: cluster.path('client.crt'), keyFile: cluster.path('client.key') };
  const clock = new FakeClock();
  const options = { servers: cluster.servers, tls, clock, log: silentLog };
  const warned: string[] = [];
  const warn = ({ message }: Error): void => void warned.push(message);
  process.on('warning', warn);
  const store = open.use(await EtcdStore.open(options, signal));
  expect((await store.put('/registry/a', Buffer.from('x'), { expectedRevision: 0 }, signal)).ok).toBe(true);
  process.off('warning', warn);
  expect(warned).toEqual([]);
  // A stranger's certificate: new connections are refused. Then the right one again.
  await cluster.writeCertificate('client', ['client'], await createCa('stranger', Date.now()));
  await clock.advance(10_000);
  await expect(store.get('/registry/a', AbortSignal.timeout(1_000))).rejects.toBeDefined();
  await cluster.writeCertificate('client');
  await clock.advance(10_000);
  expect(await store.get('/registry/a', signal)).toBeDefined();
});

test.each<[string, string, boolean]>([
  ['its name', 'localhost', true],
  ['its address', '127.0.0.1', true],
  ['an address that its certificate is not for', '127.0.0.2', false],
])('a member is dialled by %s', async (_, host, isTrusted) => {
  const cluster = await aCluster({ tls: true });
  await cluster.writeCertificate('client');
  const tls = { caFile: cluster.path('ca.crt'), certFile: cluster.path('client.crt'), keyFile: cluster.path('client.key') };
  await using gate = await Gate.before(Number(new URL(cluster.servers[0] ?? '').port), host);
  const options = { servers: [`https://${host}:${gate.port}`], tls, clock: new FakeClock(), log: silentLog };
  await using connection = await EtcdConnection.open(options);
  const asked = connection.call(methods.range, encodeRange({ key: 'a' }), { timeoutMs: 5_000, signal });
  if (isTrusted) expect(decodeRange(await asked).items).toEqual([]);
  else await expect(asked).rejects.toThrow(/is not in the cert's list/);
});
