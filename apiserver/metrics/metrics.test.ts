import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMetrics, type ReadFamily } from '#base/metric-text.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { upstreamFamilies } from './upstream-families.ts';

let server: TestApiServer;
const agents: Agent[] = [];
let admin: Agent;
let nobody: Agent;

beforeAll(async () => {
  server = await startTestApiServer({ admissionPlugins: ['NamespaceLifecycle', 'DefaultTolerationSeconds', 'LimitRanger'] });
  admin = agentOf(server.adminClientConfig);
  nobody = agentOf(await server.clientConfigFor('nobody@example.com'));
});

afterAll(async () => {
  for (const agent of agents) await agent.destroy();
  await server.stop();
});

function agentOf({ ca, credentials }: TestApiServer['adminClientConfig']): Agent {
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  const agent = new Agent({ connect: { ca: ca ?? '', cert: credentials.cert, key: credentials.key } });
  agents.push(agent);
  return agent;
}

async function ask(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
  as = admin,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await request(`${server.url}${path}`, {
    method,
    dispatcher: as,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await answer.body.dump();
  return answer.statusCode;
}

async function families(): Promise<Map<string, ReadFamily>> {
  return readMetrics(await (await request(`${server.url}/metrics`, { dispatcher: admin })).body.text());
}

/** The figure of one series; 0 where it is not told. */
async function figure(name: string, labels: Record<string, string> = {}): Promise<number> {
  const family = (await families()).get(name.replace(/_(count|sum)$/, '')) ?? (await families()).get(name);
  const sample = family?.samples.find(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return sample?.value ?? 0;
}

const ranges = '/api/v1/namespaces/default/limitranges';

/** The first line of a watch that starts with the state, up to its end. */
async function watchList(path: string): Promise<void> {
  const stop = new AbortController();
  const answer = await request(
    `${server.url}${path}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=`,
    { dispatcher: admin, signal: stop.signal },
  );
  let text = '';
  try {
    for await (const chunk of answer.body) {
      text += String(chunk);
      if (text.includes('initial-events-end')) stop.abort();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

async function useEverything(): Promise<void> {
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'a' }, spec: { limits: [] } };
  const codes = [
    await ask('POST', ranges, range),
    await ask('PUT', `${ranges}/a`, { ...range, metadata: { name: 'a', labels: { a: 'y' } } }),
    await ask('GET', `${ranges}/a`),
    await ask('GET', ranges),
    await ask('GET', `${ranges}?resourceVersion=1`),
    await ask('GET', '/api/v1/namespaces/default/endpoints'),
    await ask('GET', ranges, undefined, nobody),
    await ask('GET', '/version', undefined, admin, { 'impersonate-user': 'somebody' }),
    await ask('GET', ranges, undefined, nobody, { 'impersonate-user': 'somebody' }),
  ];
  expect(codes).toEqual([201, 200, 200, 200, 200, 200, 403, 200, 403]);
  await watchList(ranges);
  // The object and the bookmark; the end of the watch may come too late for the deletion.
  expect(await figure('apiserver_watch_events_total', { resource: 'limitranges' })).toBe(2);
  expect(await figure('apiserver_watch_events_sizes_count', { resource: 'limitranges' })).toBe(2);
  expect(await ask('DELETE', `${ranges}/a`)).toBe(200);
}

describe('/metrics', () => {
  test('holds what upstream publishes, with its types, labels, help and buckets', async () => {
    await useEverything();
    const found = await families();
    const own = [...found.keys()].filter((name) => !name.startsWith('coxswain_'));
    expect(own.filter((name) => upstreamFamilies[name] === undefined)).toEqual([]);
    for (const name of own) {
      const { type, stability, labels, buckets } = upstreamFamilies[name] ?? { type: '', stability: '', labels: [] };
      const { help, type: ourType, samples } = found.get(name) as ReadFamily;
      expect([name, ourType]).toEqual([name, type]);
      expect([name, /^\[(\w+)\] /.exec(help)?.[1] ?? '']).toEqual([name, stability]);
      for (const sample of samples) {
        const names = Object.keys(sample.labels).filter((label) => label !== 'le' || !sample.name.endsWith('_bucket'));
        expect([name, names]).toEqual([name, labels]);
      }
      if (buckets === undefined) continue;
      const bounds = new Set(samples.flatMap(({ labels: { le } }) => (le === undefined || le === '+Inf' ? [] : [Number(le)])));
      expect([name, [...bounds]]).toEqual([name, [...buckets]]);
    }
  });

  test.each([
    ['apiserver_request_total', { verb: 'POST', resource: 'limitranges', code: '201' }, 1],
    ['apiserver_request_duration_seconds_count', { verb: 'POST', resource: 'limitranges', scope: 'resource' }, 1],
    ['apiserver_request_duration_seconds_count', { verb: 'WATCH', resource: 'limitranges', scope: 'namespace' }, 1],
    ['apiserver_request_sli_duration_seconds_count', { verb: 'POST', resource: 'limitranges', scope: 'resource' }, 1],
    ['apiserver_request_body_size_bytes_count', { verb: 'create', resource: 'limitranges' }, 1],
    ['apiserver_request_body_size_bytes_count', { verb: 'update', resource: 'limitranges' }, 1],
    ['apiserver_response_sizes_count', { verb: 'GET', resource: 'limitranges' }, 1],
    ['apiserver_impersonation_attempts_total', { mode: 'user-info', decision: 'allowed' }, 1],
    ['apiserver_impersonation_attempts_total', { mode: '', decision: 'denied' }, 1],
    ['apiserver_impersonation_authorization_attempts_duration_seconds_count', { mode: 'legacy', decision: 'denied' }, 1],
    ['apiserver_requested_deprecated_apis', { resource: 'endpoints', version: 'v1', removed_release: '' }, 1],
    ['apiserver_watch_list_duration_seconds_count', { resource: 'limitranges', scope: 'namespace' }, 1],
    ['apiserver_init_events_total', { resource: 'limitranges' }, 1],
    ['apiserver_watch_cache_events_received_total', { resource: 'limitranges' }, 3],
    ['apiserver_watch_cache_events_dispatched_total', { resource: 'limitranges' }, 3],
    ['apiserver_watch_cache_initializations_total', { resource: 'limitranges' }, 1],
    ['apiserver_storage_events_received_total', { resource: 'limitranges' }, 3],
    ['apiserver_cache_list_total', { resource: 'limitranges', index: '' }, 2],
    ['apiserver_cache_list_fetched_objects_total', { resource: 'limitranges' }, 2],
    ['apiserver_cache_list_returned_objects_total', { resource: 'limitranges' }, 2],
    ['apiserver_watch_cache_read_wait_seconds_count', { resource: 'limitranges' }, 1],
    ['etcd_requests_total', { resource: 'limitranges', operation: 'create' }, 1],
    ['etcd_requests_total', { resource: 'limitranges', operation: 'update' }, 1],
    ['etcd_requests_total', { resource: 'limitranges', operation: 'delete' }, 1],
    ['etcd_request_duration_seconds_count', { resource: 'limitranges', operation: 'create' }, 1],
    ['apiserver_admission_step_admission_duration_seconds_count', { operation: 'DELETE', rejected: 'false', type: 'validate' }, 1],
    ['authorization_attempts_total', { result: 'no-opinion' }, 1],
    ['authenticated_user_requests', { username: 'email_id' }, 2],
  ] as const)('%s %j is %d', async (name, labels, expected) => {
    expect(await figure(name, labels)).toBe(expected);
  });

  test('counts its own families by stability', async () => {
    const helps = [...(await families()).values()].map(({ help }) => help);
    for (const level of ['ALPHA', 'BETA', 'STABLE']) {
      const shown = helps.filter((help) => help.startsWith(`[${level}] `)).length;
      const counted = await figure('registered_metrics_total', { stability_level: level, deprecated_version: '' });
      expect(shown).toBeGreaterThan(0);
      // Those that have nothing to tell yet are registered all the same.
      expect(counted).toBeGreaterThanOrEqual(shown);
    }
    expect((await families()).get('hidden_metrics_total')?.samples).toEqual([{ name: 'hidden_metrics_total', labels: {}, value: 0 }]);
  });

  test('counts what authorizers decide, and who was recognised', async () => {
    const before = await figure('authorization_attempts_total', { result: 'allowed' });
    const attempts = await figure('authentication_attempts', { result: 'success' });
    expect(await ask('GET', '/api', undefined, nobody)).toBe(200);
    expect(await figure('apiserver_authorization_decisions_total', { decision: 'allowed', name: 'rbac', type: 'RBAC' })).toBe(2);
    expect(await figure('authorization_attempts_total', { result: 'allowed' })).toBeGreaterThan(before);
    expect(await figure('authentication_attempts', { result: 'success' })).toBeGreaterThan(attempts);
    expect(await figure('apiserver_client_certificate_expiration_seconds_count')).toBeGreaterThan(0);
  });

  test('counts who was not', async () => {
    const before = await figure('authentication_attempts', { result: 'failure' });
    const stranger = new Agent({ connect: { ca: server.ca.cert } });
    agents.push(stranger);
    const answer = await request(`${server.url}/api`, { dispatcher: stranger, headers: { authorization: 'Bearer nonsense' } });
    await answer.body.dump();
    expect(answer.statusCode).toBe(401);
    expect(await figure('authentication_attempts', { result: 'failure' })).toBe(before + 1);
  });

  test('a refusal by a plugin is told by its name', async () => {
    const path = '/api/v1/namespaces/none/limitranges';
    expect(await ask('POST', path, { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'a' }, spec: { limits: [] } })).toBe(404);
    const labels = { operation: 'CREATE', rejected: 'true', type: 'admit' };
    const name = 'apiserver_admission_controller_admission_duration_seconds_count';
    expect(await figure(name, { ...labels, name: 'NamespaceLifecycle' })).toBe(1);
    expect(await figure('apiserver_admission_step_admission_duration_seconds_count', labels)).toBe(1);
  });

  test('connections that do not come to be', async () => {
    const before = await figure('apiserver_tls_handshake_errors_total');
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    await once(socket, 'error');
    await expect.poll(async () => await figure('apiserver_tls_handshake_errors_total')).toBe(before + 1);
  });

  test('objects come and go', async () => {
    expect(await figure('apiserver_resource_objects', { group: '', resource: 'secrets' })).toBe(0);
    expect(await figure('apiserver_resource_size_estimate_bytes', { resource: 'secrets' })).toBe(0);
    await ask('POST', '/api/v1/namespaces/default/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });
    expect(await figure('apiserver_resource_objects', { group: '', resource: 'secrets' })).toBe(1);
    expect(await figure('apiserver_storage_objects', { resource: 'secrets' })).toBe(1);
    expect(await figure('apiserver_resource_size_estimate_bytes', { resource: 'secrets' })).toBeGreaterThan(100);
    await ask('DELETE', '/api/v1/namespaces/default/secrets/s');
    expect(await figure('apiserver_resource_objects', { group: '', resource: 'secrets' })).toBe(0);
    expect(await figure('apiserver_resource_size_estimate_bytes', { resource: 'secrets' })).toBe(0);
    expect(await figure('apiserver_storage_objects', { resource: 'deployments.apps' })).toBe(0);
  });
});
