import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { namespace } from '#api/core/namespace.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from './rest.ts';

const never = new AbortController().signal;

describe('against an API server', () => {
  let server: TestApiServer;
  let client: RestClient;
  beforeAll(async () => {
    server = await startTestApiServer();
    client = connect(server.adminClientConfig, { clock: systemClock, component: 'client-test' });
    await client.create(namespace, { metadata: { name: 'a' } }, {}, never);
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await server.stop();
  });

  const make = (name: string, data: Record<string, string> = {}) =>
    client.create(configMap, { metadata: { namespace: 'a', name }, data }, {}, never);

  test('creates, reads, replaces, patches and deletes', async () => {
    const made = await make('one', { x: '1' });
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { x: '1' } });
    expect(made.metadata.managedFields?.[0]?.manager).toBe('client-test');
    const key = { namespace: 'a', name: 'one' };
    const replaced = await client.update(configMap, { ...made, data: { x: '2' } }, {}, never);
    expect(replaced.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    await client.patch(configMap, key, { data: { y: '3' } }, { type: 'merge' }, never);
    await client.patch(configMap, key, [{ op: 'remove', path: '/data/x' }], { type: 'json' }, never);
    expect((await client.get(configMap, key, never)).data).toEqual({ y: '3' });
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { z: '4' } };
    await client.patch(configMap, key, applied, { type: 'apply', fieldManager: 'me' }, never);
    expect((await client.get(configMap, key, never)).data).toEqual({ y: '3', z: '4' });
    await client.delete(configMap, key, {}, never);
    await expect(client.get(configMap, key, never)).rejects.toMatchObject({ name: 'ApiError', reason: 'NotFound', code: 404 });
  });

  test('refusals come as the server words them', async () => {
    const made = await make('two');
    await expect(make('two')).rejects.toMatchObject({ reason: 'AlreadyExists', message: 'configmaps "two" already exists' });
    await client.update(configMap, { ...made, data: { a: 'b' } }, {}, never);
    await expect(client.update(configMap, made, {}, never)).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(make('NOT VALID')).rejects.toMatchObject({ reason: 'Invalid', details: { causes: [{ field: 'metadata.name' }] } });
    const key = { namespace: 'a', name: 'two' };
    await expect(client.delete(configMap, key, { uid: 'other' }, never)).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(client.raw('GET', '/nowhere', undefined, never)).rejects.toMatchObject({ code: 404 });
  });

  test('lists in pages, by selectors, and items know their kind', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      await client.create(configMap, { metadata: { namespace: 'a', name, labels: { page: 'yes' } } }, {}, never);
    }
    const options = { namespace: 'a', labelSelector: 'page=yes', limit: 2 };
    const first = await client.list(configMap, options, never);
    expect(first.items.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(['ConfigMap/p1', 'ConfigMap/p2']);
    const rest = await client.list(configMap, { ...options, continue: first.metadata.continue }, never);
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['p3']);
    const named = await client.list(configMap, { fieldSelector: 'metadata.name=p2' }, never);
    expect(named.items).toHaveLength(1);
    await client.deleteCollection(configMap, { namespace: 'a', labelSelector: 'page=yes' }, never);
    expect((await client.list(configMap, options, never)).items).toEqual([]);
  });

  test('a dry run changes nothing', async () => {
    await client.create(configMap, { metadata: { namespace: 'a', name: 'dry' } }, { dryRun: true }, never);
    await expect(client.get(configMap, { namespace: 'a', name: 'dry' }, never)).rejects.toMatchObject({ reason: 'NotFound' });
  });

  test('a watch tells what happens from a revision on', async () => {
    const since = (await make('w1')).metadata.resourceVersion;
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(configMap, { namespace: 'a', resourceVersion: since }, stop.signal)) {
        if (event.type === 'BOOKMARK') continue;
        seen.push(`${event.type} ${event.object.metadata.name}`);
        if (seen.length === 3) stop.abort(new Error('enough'));
      }
    })();
    const ended = expect(watching).rejects.toThrow('enough');
    const made = await make('w2');
    await client.update(configMap, { ...made, data: { a: 'b' } }, {}, never);
    await client.delete(configMap, { namespace: 'a', name: 'w1' }, {}, never);
    await ended;
    expect(seen).toEqual(['ADDED w2', 'MODIFIED w2', 'DELETED w1']);
  });

  test('health is text', async () => {
    expect(await client.raw('GET', '/readyz', undefined, never)).toBe('ok');
  });

  test('nobody listens', async () => {
    await using lost = connect({ ...server.adminClientConfig, server: 'https://127.0.0.1:1' }, { clock: systemClock, component: 't' });
    await expect(lost.raw('GET', '/readyz', undefined, never)).rejects.toMatchObject({ name: 'TransportError' });
  });

  test('a server that somebody else vouches for is not trusted', async () => {
    const { ca: _, ...untrusting } = server.adminClientConfig;
    await using careful = connect(untrusting, { clock: systemClock, component: 't' });
    await expect(careful.raw('GET', '/readyz', undefined, never)).rejects.toMatchObject({ name: 'TransportError' });
  });
});
