import { afterAll, beforeAll, expect, test } from 'vitest';
import { pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { ApiEndpoint } from '../endpoint.ts';
import { connect, type RestClient } from '../rest.ts';
import { AccountClients } from './account-clients.ts';
import { AccountToken } from './account-token.ts';

const { signal } = new AbortController();
let server: TestApiServer;
let api: ApiEndpoint;
let manager: RestClient;
let admin: RestClient;
beforeAll(async () => {
  server = await startTestApiServer();
  api = await server.clientConfigFor('system:kube-controller-manager');
  manager = connect(api, { clock: systemClock, component: 'test' });
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});
afterAll(async () => {
  await Promise.all([manager, admin].map((client) => client[Symbol.asyncDispose]()));
  await server.stop();
});

test('a controller has the rights of its account, and no others', async () => {
  await using accounts = new AccountClients({ api, component: 'kube-controller-manager', client: manager, clock: systemClock });
  const collector = accounts.clientFor('pod-garbage-collector-controller');
  expect((await collector.list(pod, {}, signal)).items).toEqual([]);
  await expect(collector.get(pod, { namespace: 'default', name: 'x' }, signal)).rejects.toThrow(
    'pods "x" is forbidden: User "system:serviceaccount:kube-system:pod-garbage-collector" cannot get resource "pods"',
  );
  expect(accounts.clientFor('pod-garbage-collector-controller')).toBe(collector);
});

test('an account that was made anew gets a new token', async () => {
  await using accounts = new AccountClients({ api, component: 'kube-controller-manager', client: manager, clock: systemClock });
  const client = accounts.clientFor('deployment-controller');
  await client.list(pod, {}, signal);
  await admin.delete(serviceAccount, { namespace: 'kube-system', name: 'deployment-controller' }, {}, signal);
  await expect(client.list(pod, {}, signal)).rejects.toThrow('Unauthorized');
  await client.list(pod, {}, signal);
});

test('a token is asked for once, and again before it ends', async () => {
  const clock = new FakeClock(systemClock.nowMs());
  const token = new AccountToken({ client: manager, name: 'job-controller', clock, signal });
  const [first, second] = await Promise.all([token.get(), token.get()]);
  expect(second).toBe(first);
  expect(token.get()).toBe(first);
  await clock.advance(3_001_000);
  expect(await token.get()).not.toBe(first);
});
