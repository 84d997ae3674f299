// A component's own port: health is everybody's, all else is for whom the API server allows it. Asked of a real API server.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock as clock } from '#base/clock.ts';
import { parseFlags } from '#base/flags.ts';
import { HealthServer } from '#base/health-server.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { ownServerCertificate } from '#base/own-certificate.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { ComponentPort, componentPortFlags, componentPortOptions } from './component-port.ts';
import { kubeconfigText } from './kubeconfig-file.ts';
import { connect } from './rest.ts';

const life = new AbortController();
let api: TestApiServer;
let folder: string;
let proxyCa: KeyPair;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'component-port-'));
  proxyCa = await createCa('front-proxy-ca', clock.nowMs());
  const frontProxy = {
    ca: proxyCa.cert,
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: [],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: [],
  };
  api = await startTestApiServer({ authentication: { frontProxy } });
  const { server, ca = '', credentials } = await api.clientConfigFor('system:kube-scheduler');
  const names = { name: 'x', clusterName: 'x', userName: 'x' };
  writeFileSync(join(folder, 'scheduler.conf'), kubeconfigText({ ...names, server, ca, credentials: credentials as never }));
  await using admin = connect(api.adminClientConfig, { clock, component: 'test' });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:monitoring' };
  const subjects = [{ kind: 'User', name: 'scraper', apiGroup: 'rbac.authorization.k8s.io' }];
  await admin.create(clusterRoleBinding, { metadata: { name: 'scraper' }, roleRef, subjects }, {}, life.signal);
});
afterAll(async () => {
  life.abort(new Error('over'));
  await api.stop();
  await rm(folder, { recursive: true });
});

const sign = (ca: KeyPair, commonName: string, organizations: string[] = []): Promise<KeyPair> =>
  signCertificate(ca, { commonName, organizations, usages: ['client'] }, clock.nowMs());

interface Port extends AsyncDisposable {
  get(path: string, as?: { readonly pair?: KeyPair; readonly headers?: Record<string, string> }): Promise<[number, string]>;
}

async function serve(...argv: readonly string[]): Promise<Port> {
  const { values } = parseFlags('test', componentPortFlags, argv, '');
  const stop = new AbortController();
  const visitors = new ComponentPort(componentPortOptions(values), { component: 'test', clock, log: silentLog }, stop.signal);
  const tls = await ownServerCertificate('localhost', clock.nowMs());
  const health = new HealthServer({ host: '127.0.0.1', port: 0, tls, metrics: createMetrics(), guard: visitors.guard });
  const ready = Promise.withResolvers<void>();
  const ended = health.run(stop.signal, () => ready.resolve());
  await ready.promise;
  return {
    get: async (path, { pair, headers = {} } = {}) => {
      const dispatcher = new Agent({ allowH2: false, connect: { rejectUnauthorized: false, ...pair } });
      const { statusCode, body } = await request(`https://127.0.0.1:${health.port}${path}`, { dispatcher, headers });
      const text = await body.text();
      await dispatcher.destroy();
      return [statusCode, text];
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('over'));
      await ended;
      await visitors[Symbol.asyncDispose]();
    },
  };
}

const delegated = (): string[] => ['authentication', 'authorization'].map((flag) => `--${flag}-kubeconfig=${folder}/scheduler.conf`);

test('health is everybody’s, figures are for whom a role says so', async () => {
  await using port = await serve(...delegated());
  expect(await port.get('/healthz')).toEqual([200, 'ok']);
  expect(await port.get('/livez/ping')).toEqual([403, expect.stringContaining('cannot get path \\"/livez/ping\\"')]);
  const [status, text] = await port.get('/metrics');
  expect([status, JSON.parse(text)]).toEqual([
    403,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'forbidden: User "system:anonymous" cannot get path "/metrics"',
      reason: 'Forbidden',
      details: {},
      code: 403,
    },
  ]);
  expect((await port.get('/metrics', { headers: { authorization: 'Bearer nonsense' } }))[0]).toBe(401);
  expect((await port.get('/metrics', { pair: await sign(api.ca, 'scraper') }))[0]).toBe(200);
  expect((await port.get('/metrics', { pair: await sign(api.ca, 'somebody') }))[0]).toBe(403);
  expect((await port.get('/metrics', { pair: await sign(api.ca, 'root', ['system:masters']) }))[0]).toBe(200);
});

test('certificates of others are nobody’s, and only front proxies speak for users', async () => {
  await using port = await serve(...delegated());
  const stranger = await createCa('kubernetes', clock.nowMs());
  expect((await port.get('/metrics', { pair: await sign(stranger, 'scraper') }))[0]).toBe(403);
  const headers = { 'x-remote-user': 'scraper' };
  expect((await port.get('/metrics', { headers, pair: await sign(proxyCa, 'front-proxy-client') }))[0]).toBe(200);
  expect((await port.get('/metrics', { headers, pair: await sign(proxyCa, 'another') }))[0]).toBe(403);
  expect((await port.get('/metrics', { headers, pair: await sign(api.ca, 'somebody') }))[0]).toBe(403);
});

test('authorities may come from files, and other paths may be open', async () => {
  const own = await createCa('own', clock.nowMs());
  writeFileSync(join(folder, 'own.crt'), own.cert);
  await using port = await serve(
    ...delegated(),
    `--client-ca-file=${folder}/own.crt`,
    '--authorization-always-allow-paths=/livez*',
    '--requestheader-allowed-names=',
  );
  expect((await port.get('/livez/ping'))[0]).toBe(200);
  expect((await port.get('/metrics', { pair: await sign(own, 'scraper') }))[0]).toBe(200);
  expect((await port.get('/metrics', { pair: await sign(api.ca, 'scraper') }))[0]).toBe(403);
});
