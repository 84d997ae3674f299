// Who may use a component's own port, asked of a real API server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namespace } from '#api/core/namespace.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { systemClock } from '#base/clock.ts';
import { bearerToken, DelegatedAccess, type AccessRequest } from './delegated-access.ts';
import { connect, type RestClient } from './rest.ts';

const { signal } = new AbortController();
const metrics: AccessRequest = { kind: 'path', verb: 'get', path: '/metrics' };
const stats: AccessRequest = {
  kind: 'resource',
  verb: 'get',
  group: '',
  version: 'v1',
  resource: 'nodes',
  subresource: 'stats',
  name: 'n1',
};
let server: TestApiServer;
let admin: RestClient;
let scheduler: RestClient;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  scheduler = connect(await server.clientConfigFor('system:kube-scheduler'), { clock: systemClock, component: 'test' });
  await admin.create(namespace, { metadata: { name: 'watch' } }, {}, signal);
  await admin.create(serviceAccount, { metadata: { name: 'scraper', namespace: 'watch' } }, {}, signal);
});
afterAll(async () => {
  await scheduler[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await server.stop();
});

test('a token tells who somebody is, and roles what they may do, until what was asked is too old', async () => {
  const clock = new FakeClock();
  const ttls = { tokenMs: 60_000, allowedMs: 60_000, deniedMs: 10_000 };
  const access = new DelegatedAccess({ authentication: scheduler, authorization: scheduler, clock }, ttls);
  const key = { namespace: 'watch', name: 'scraper' };
  const answer = (await admin.createSub(serviceAccount, key, 'token', { spec: { audiences: [] } }, signal)) as {
    status: { token: string };
  };
  const { token } = answer.status;
  const visitor = await access.visitorOf(token, signal);
  expect(visitor).toMatchObject({ name: 'system:serviceaccount:watch:scraper' });
  expect(visitor?.groups).toContain('system:serviceaccounts:watch');
  if (visitor === undefined) throw new Error('nobody');
  expect(await access.visitorOf('nonsense', signal)).toBeUndefined();
  expect([await access.isAllowed(visitor, metrics, signal), await access.isAllowed(visitor, stats, signal)]).toEqual([false, false]);

  const subjects = [{ kind: 'ServiceAccount', name: 'scraper', namespace: 'watch' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:monitoring' };
  await admin.create(clusterRoleBinding, { metadata: { name: 'scraper' }, roleRef, subjects }, {}, signal);
  expect(await access.isAllowed(visitor, metrics, signal)).toBe(false);
  await clock.advance(10_001);
  expect(await access.isAllowed(visitor, metrics, signal)).toBe(true);

  await admin.delete(clusterRoleBinding, { name: 'scraper' }, {}, signal);
  await admin.delete(serviceAccount, key, {}, signal);
  expect(await access.isAllowed(visitor, metrics, signal)).toBe(true);
  expect(await access.visitorOf(token, signal)).toBeDefined();
  await clock.advance(60_001);
  expect(await access.isAllowed(visitor, metrics, signal)).toBe(false);
  expect(await access.visitorOf(token, signal)).toBeUndefined();
});

test('what cannot be asked is a failure, and is asked again', async () => {
  await using lost = connect(
    { server: 'https://127.0.0.1:1', ca: server.ca.cert, credentials: { kind: 'none' } },
    { clock: systemClock, component: 'test' },
  );
  const access = new DelegatedAccess(
    { authentication: lost, authorization: lost, clock: systemClock },
    { tokenMs: 60_000, allowedMs: 60_000, deniedMs: 60_000 },
  );
  for (let tries = 0; tries < 2; tries++) await expect(access.visitorOf('x', signal)).rejects.toThrow();
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer  a.b-c ', 'a.b-c'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  [undefined, undefined],
])('the token of %j is %j', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});
