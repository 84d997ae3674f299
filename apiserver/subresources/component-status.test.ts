import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { createCa, signCertificate } from '#base/pki.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { localComponent } from './component-status.ts';

let server: TestApiServer;
let client: RestClient;
const { signal } = new AbortController();
const path = '/api/v1/componentstatuses';

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

test('the store and the other parts are asked', async () => {
  const { items } = (await client.raw('GET', path, undefined, signal)) as never as { items: { metadata: { name: string } }[] };
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['controller-manager', 'scheduler', 'etcd-0']);
  expect(await client.raw('GET', `${path}/etcd-0`, undefined, signal)).toEqual({
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: 'etcd-0' },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  });
  const chosen = await client.raw('GET', `${path}?fieldSelector=metadata.name%3Detcd-0`, undefined, signal);
  expect(chosen).toMatchObject({ kind: 'ComponentStatusList', items: [{ metadata: { name: 'etcd-0' } }] });
});

test('nothing else is there, and nothing can be written', async () => {
  await expect(client.raw('GET', `${path}/ghost`, undefined, signal)).rejects.toMatchObject({
    code: 500,
    message: 'Component not found: ghost',
  });
  await expect(client.raw('POST', path, {}, signal)).rejects.toMatchObject({ code: 405 });
  await expect(client.raw('GET', `${path}?labelSelector=a%3D%3D%3D`, undefined, signal)).rejects.toMatchObject({ code: 400 });
});

test('a part says how it is', async () => {
  const ca = await createCa('test', systemClock.nowMs());
  const { key, cert } = await signCertificate(ca, { commonName: 'x', usages: ['server'] }, systemClock.nowMs());
  let code = 200;
  const health = createServer({ key, cert }, (_request, response) => response.writeHead(code).end('ok')).listen(0, '127.0.0.1');
  await once(health, 'listening');
  const { port } = health.address() as AddressInfo;
  const { check } = localComponent('x', port);
  expect(await check(signal)).toBe('ok');
  code = 503;
  await expect(check(signal)).rejects.toThrow('HTTP probe failed with statuscode: 503');
  health.close();
  health.closeAllConnections();
  await once(health, 'close');
  await expect(check(signal)).rejects.toThrow(
    `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});
