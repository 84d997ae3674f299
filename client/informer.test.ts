import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { namespace } from '#api/core/namespace.ts';
import { type Clock, systemClock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import type { ListOptions } from './client.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { connect, type RestClient } from './rest.ts';
import { eventually, type FlakyServer, startFlakyServer } from './testing.ts';

const never = new AbortController().signal;
/** Retries are to be quick in a test. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) };

let server: FlakyServer;
let admin: RestClient;
const running: { stop: AbortController; ended: Promise<unknown>; client: RestClient }[] = [];

beforeEach(async () => {
  server = await startFlakyServer();
  admin = connect(server.direct, { clock: systemClock, component: 'admin' });
  await admin.create(namespace, { metadata: { name: 'a' } }, {}, never);
});
afterEach(async () => {
  for (const { stop, ended, client } of running.splice(0)) {
    stop.abort(new Error('the test is over'));
    await ended;
    await client[Symbol.asyncDispose]();
  }
  await admin[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface Followed {
  readonly informer: Informer<ConfigMap>;
  /** `added x`, … in order. */
  readonly told: string[];
  /** Every list request. */
  readonly lists: ListOptions[];
}

/** An informer of config maps in namespace a, other than the one that every namespace gets. */
async function follow(options: Partial<InformerOptions<ConfigMap>> = {}, watchSilenceLimitMs = 60_000): Promise<Followed> {
  const connection = connect(server.endpoint, { clock: systemClock, component: 'informer', watchSilenceLimitMs });
  const lists: ListOptions[] = [];
  const client: RestClient = Object.create(connection, {
    list: {
      value: (kind: never, listOptions: ListOptions, signal: AbortSignal) => {
        lists.push(listOptions);
        return connection.list(kind, listOptions, signal);
      },
    },
    watch: { value: connection.watch.bind(connection) },
  }) as RestClient;
  const informer = new Informer({ kind: configMap, namespace: 'a', ...options }, { client, clock: hasty, log: silentLog });
  const told: string[] = [];
  informer.subscribe((change) => told.push(`${change.type} ${change.object.metadata.name} ${change.object.data?.['v'] ?? ''}`.trim()));
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = informer
    .run(stop.signal, () => ready.resolve())
    .catch((error: unknown) => {
      if (!isAbort(error, stop.signal)) throw error;
    });
  running.push({ stop, ended, client: connection });
  await ready.promise;
  return { informer, told, lists };
}

const make = (name: string, v = '1') => admin.create(configMap, { metadata: { namespace: 'a', name }, data: { v } }, {}, never);
const change = (name: string, v: string) => admin.patch(configMap, { namespace: 'a', name }, { data: { v } }, { type: 'merge' }, never);
const remove = (name: string) => admin.delete(configMap, { namespace: 'a', name }, {}, never);
const valueOf = (informer: Informer<ConfigMap>, name: string) => informer.get({ namespace: 'a', name })?.data?.['v'];

describe('Informer', () => {
  test('holds what is there and follows what happens, each thing told once', async () => {
    await make('one');
    const { informer, told } = await follow();
    expect(told).toEqual(['added one 1']);
    await make('two');
    await change('one', '2');
    await remove('one');
    await eventually(() => told.length === 4);
    expect(told.slice(1)).toEqual(['added two 1', 'updated one 2', 'removed one 2']);
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['two']);
  });

  test('who comes later is told what is there', async () => {
    await make('one');
    const { informer } = await follow();
    const told: string[] = [];
    const end = informer.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
    expect(told).toEqual(['added one']);
    end();
    await make('two');
    await eventually(() => informer.size === 2);
    expect(told).toEqual(['added one']);
  });

  test('a subscriber that fails costs the others nothing', async () => {
    const { informer, told } = await follow();
    informer.subscribe(() => {
      throw new Error('a bug');
    });
    await make('one');
    await make('two');
    await eventually(() => told.length === 2);
    expect(informer.size).toBe(2);
  });

  test('lists long collections in pages', async () => {
    await Promise.all([...Array(520).keys()].map((at) => make(`m${at}`)));
    const { informer, lists } = await follow();
    expect(informer.size).toBe(520);
    expect(lists.map(({ limit, continue: next }) => [limit, next === undefined])).toEqual([
      [500, true],
      [500, false],
    ]);
  });

  test('selects, indexes and transforms', async () => {
    await make('one', 'x');
    await make('two', 'y');
    const { informer } = await follow({
      fieldSelector: 'metadata.name!=two',
      indexes: { value: (object) => [object.data?.['v'] ?? ''] },
      transform: (object) => {
        delete object.metadata.managedFields;
        return object;
      },
    });
    expect(informer.byIndex('value', 'x').map(({ metadata }) => metadata.name)).toEqual(['one']);
    expect(informer.byIndex('value', 'y')).toEqual([]);
    expect(informer.get({ namespace: 'a', name: 'one' })?.metadata.managedFields).toBeUndefined();
  });
});

describe('bad connections', () => {
  test('a cut connection is resumed where it broke, without a new list', async () => {
    await make('one');
    const { informer, told, lists } = await follow();
    server.cut();
    await make('two');
    await change('one', '2');
    await eventually(() => informer.size === 2 && valueOf(informer, 'one') === '2');
    expect(told).toEqual(['added one 1', 'added two 1', 'updated one 2']);
    expect(lists).toHaveLength(1);
  });

  test('a server that is away for a while is waited for; nothing is lost or told twice', async () => {
    await make('one');
    await make('two');
    const { informer, told } = await follow();
    await server.stop();
    await systemClock.sleep(100, never);
    await server.start();
    await admin[Symbol.asyncDispose]();
    admin = connect(server.direct, { clock: systemClock, component: 'admin' });
    await remove('two');
    await make('three');
    await eventually(() => informer.get({ namespace: 'a', name: 'three' }) !== undefined);
    expect(told).toEqual(['added one 1', 'added two 1', 'removed two 1', 'added three 1']);
  });

  test('a connection that died without a word is given up, and resumed on another', async () => {
    await make('one');
    const { informer, told, lists } = await follow({}, 200);
    server.freeze();
    await make('two');
    await eventually(() => informer.size === 2);
    expect(told).toEqual(['added one 1', 'added two 1']);
    expect(lists).toHaveLength(1);
  });

  test('made anew under the same name while nobody watched: removed, then added', async () => {
    const first = await make('one');
    const { informer, told } = await follow({}, 200);
    server.freeze();
    await remove('one');
    await make('one', '9');
    await eventually(() => valueOf(informer, 'one') === '9');
    expect(informer.get({ namespace: 'a', name: 'one' })?.metadata.uid).not.toBe(first.metadata.uid);
    expect(told).toEqual(['added one 1', 'removed one 1', 'added one 9']);
  });
});
