import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import type { AuditSettings } from './flags.ts';
import type { PolicyDocument } from './policy.ts';

interface Event {
  readonly level: string;
  readonly stage: string;
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username?: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: object;
  readonly authenticationMetadata?: object;
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: Readonly<Record<string, unknown>>;
  readonly requestObject?: { readonly [key: string]: unknown; readonly metadata?: Readonly<Record<string, unknown>> };
  readonly responseObject?: { readonly [key: string]: unknown; readonly metadata?: Readonly<Record<string, unknown>> };
  readonly annotations?: Readonly<Record<string, string>>;
}

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
const path = join(folder, 'logs', 'audit.log');
const delivery = {
  mode: 'blocking',
  batch: { bufferSize: 1, maxSize: 1, maxWaitMs: 0, throttle: undefined, maxSending: 1 },
  truncate: undefined,
} as const;
const policy: PolicyDocument = {
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*'] },
    { level: 'RequestResponse', resources: [{ group: '', resources: ['configmaps'] }], omitManagedFields: true },
    { level: 'Metadata', omitStages: ['RequestReceived'] },
  ],
};
const log = { path, maxAgeDays: 0, maxBackups: 0, maxMegabytes: 0, compress: false, format: 'json', delivery } as const;
const settings: AuditSettings = { policy, log, webhook: undefined };

let server: TestApiServer;
const agents: Agent[] = [];
let admin: Agent;
let nobody: Agent;

beforeAll(async () => {
  const mayReach = (): never => {
    throw new Error('nobody may be reached');
  };
  server = await startTestApiServer({ audit: settings, mayReach });
  admin = agentOf(server.adminClientConfig);
  nobody = agentOf(await server.clientConfigFor('somebody', ['users']));
});

beforeEach(() => rmEvents());

afterAll(async () => {
  for (const agent of agents) await agent.destroy();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function agentOf({ ca, credentials }: TestApiServer['adminClientConfig'], alone = false): Agent {
  const own = credentials.kind === 'certificate' && !alone ? { cert: credentials.cert, key: credentials.key } : {};
  const agent = new Agent({ connect: { ca: ca ?? '', ...own } });
  agents.push(agent);
  return agent;
}

let seen = 0;
/** Those of requests to `uri`, since the test began. */
function events(uri: string): Event[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(seen);
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)
    .filter(({ requestURI }) => requestURI.startsWith(uri));
}

function rmEvents(): void {
  seen = readFileSync(path, 'utf8').split('\n').length - 1;
}

interface Asked {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly as?: Agent;
}

async function ask(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  uri: string,
  asked: Asked = {},
): Promise<{ code: number; id: string }> {
  const { body, type = 'application/json', headers = {}, as = admin } = asked;
  const answer = await request(`${server.url}${uri}`, {
    method,
    dispatcher: as,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  await answer.body.dump();
  return { code: answer.statusCode, id: String(answer.headers['audit-id']) };
}

const maps = '/api/v1/namespaces/default/configmaps';
const aMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } });

describe('events', () => {
  test('of a create tell who asked for what, what came and what was answered', async () => {
    const { code, id } = await ask('POST', maps, { body: aMap('one'), headers: { 'audit-id': 'my-own-id', 'user-agent': 'tester' } });
    expect([code, id]).toEqual([201, 'my-own-id']);
    const [received, complete, ...more] = events(maps);
    expect(more).toEqual([]);
    expect(received).toMatchObject({ level: 'RequestResponse', stage: 'RequestReceived', auditID: 'my-own-id', verb: 'create' });
    expect(received).not.toHaveProperty('responseStatus');
    expect(received?.objectRef).toEqual({ resource: 'configmaps', namespace: 'default', apiVersion: 'v1' });
    expect(complete).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      stage: 'ResponseComplete',
      user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
      sourceIPs: ['127.0.0.1'],
      userAgent: 'tester',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'one', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    expect(complete?.requestObject).toMatchObject(aMap('one'));
    expect(complete?.responseObject).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
    expect(complete?.responseObject?.metadata).toHaveProperty('uid');
    expect(complete?.responseObject?.metadata).not.toHaveProperty('managedFields');
    expect(JSON.stringify(complete)).toMatch(/"requestReceivedTimestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/);
  });

  test('of other verbs hold patches, options and whole lists', async () => {
    await ask('POST', maps, { body: aMap('two') });
    await ask('PATCH', `${maps}/two`, { body: { data: { b: '2' } }, type: 'application/merge-patch+json' });
    await ask('PATCH', `${maps}/two?fieldManager=x`, { body: 'apiVersion: v1\nkind: ConfigMap\n', type: 'application/apply-patch+yaml' });
    await ask('PUT', `${maps}/two`, { body: { ...aMap('two'), data: { c: '3' } } });
    await ask('GET', maps);
    await ask('DELETE', `${maps}/two`, { body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 } });
    const done = events(maps).filter(({ stage }) => stage === 'ResponseComplete');
    expect(done.map(({ verb, responseStatus }) => [verb, responseStatus?.['code']])).toEqual([
      ['create', 201],
      ['patch', 200],
      ['patch', 200],
      ['update', 200],
      ['list', 200],
      ['delete', 200],
    ]);
    const [first, merged, applied, put, listed, deleted] = done.map(({ requestObject }) => requestObject);
    expect(first).toMatchObject(aMap('two'));
    expect(merged).toEqual({ data: { b: '2' } });
    expect(applied).toEqual({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(put).toMatchObject({ ...aMap('two'), data: { c: '3' } });
    expect(listed).toBeUndefined();
    expect(deleted).toEqual({ kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 });
    const list = done[4]?.responseObject as unknown as { kind: string; items: { metadata: object }[] };
    expect(list.kind).toBe('ConfigMapList');
    expect(list.items.length).toBeGreaterThan(0);
    for (const { metadata } of list.items) expect(metadata).not.toHaveProperty('managedFields');
    expect(done[5]?.responseStatus).toMatchObject({ status: 'Success', details: { name: 'two', kind: 'configmaps' }, code: 200 });
  });

  test('of refusals tell why', async () => {
    expect((await ask('GET', '/api/v1/nodes', { as: nobody })).code).toBe(403);
    expect((await ask('GET', `${maps}/none`)).code).toBe(404);
    const [forbidden] = events('/api/v1/nodes');
    expect(forbidden).toMatchObject({
      level: 'Metadata',
      stage: 'ResponseComplete',
      annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' },
      responseStatus: { status: 'Failure', reason: 'Forbidden', details: { kind: 'nodes' }, code: 403 },
    });
    expect(forbidden).not.toHaveProperty('responseObject');
    const missing = events(`${maps}/none`).at(-1);
    expect(missing?.responseStatus).toMatchObject({
      status: 'Failure',
      reason: 'NotFound',
      message: 'configmaps "none" not found',
      code: 404,
    });
  });

  test('of a time that is none are told before anybody asks who it was', async () => {
    expect((await ask('GET', '/api/v1/nodes?timeout=soon')).code).toBe(400);
    const message = 'invalid timeout specified in the request URL - time: invalid duration "soon"';
    expect(events('/api/v1/nodes?timeout=soon')).toMatchObject([
      { stage: 'ResponseStarted', user: {}, responseStatus: { status: 'Failure', reason: 'BadRequest', message, code: 400 } },
    ]);
  });

  test('of clients that nobody knows hold one stage and no user', async () => {
    const stranger = agentOf(server.adminClientConfig, true);
    expect((await ask('GET', '/api/v1/nodes', { as: stranger, headers: { authorization: 'Bearer wrong' } })).code).toBe(401);
    expect(events('/api/v1/nodes')).toMatchObject([
      { stage: 'ResponseStarted', user: {}, responseStatus: { status: 'Failure', reason: 'Unauthorized', code: 401 } },
    ]);
  });

  test('of those who act as others name both', async () => {
    await ask('GET', '/api/v1/nodes', { headers: { 'impersonate-user': 'jane', 'impersonate-group': 'team' } });
    const [event] = events('/api/v1/nodes');
    expect(event?.user.username).toBe('kubernetes-admin');
    expect(event?.impersonatedUser).toMatchObject({ username: 'jane', groups: ['team', 'system:authenticated'] });
    expect(event?.authenticationMetadata).toEqual({ impersonationConstraint: 'impersonate:user-info' });
    expect(event?.annotations?.['authorization.k8s.io/decision']).toBe('forbid');
  });

  test('of watches come when the answer starts and when it ends', async () => {
    await ask('GET', '/api/v1/services?watch=1&timeoutSeconds=1');
    await expect.poll(() => events('/api/v1/services').length).toBe(2);
    expect(events('/api/v1/services')).toMatchObject([
      { stage: 'ResponseStarted', verb: 'watch', responseStatus: { code: 200 } },
      { stage: 'ResponseComplete', verb: 'watch', responseStatus: { code: 200 } },
    ]);
  });

  test('hold what is deprecated, what pods violate and which tokens were made', async () => {
    const labels = { 'pod-security.kubernetes.io/audit': 'restricted', 'pod-security.kubernetes.io/enforce': 'baseline' };
    await ask('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } } });
    await ask('POST', '/api/v1/namespaces/strict/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    expect((await ask('POST', '/api/v1/namespaces/strict/pods', { body: pod })).code).toBe(201);
    await ask('GET', '/api/v1/namespaces/strict/endpoints');
    await ask('POST', '/api/v1/namespaces/strict/serviceaccounts/default/token', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    });
    const { annotations } = events('/api/v1/namespaces/strict/pods')[0] ?? {};
    expect(annotations?.['pod-security.kubernetes.io/enforce-policy']).toBe('baseline:latest');
    expect(annotations?.['pod-security.kubernetes.io/audit-violations']).toMatch(
      /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation/,
    );
    expect(events('/api/v1/namespaces/strict/endpoints')[0]?.annotations?.['k8s.io/deprecated']).toBe('true');
    const [token] = events('/api/v1/namespaces/strict/serviceaccounts/default/token');
    expect(token?.annotations?.['authentication.kubernetes.io/issued-credential-id']).toMatch(/^JTI=[0-9a-f-]{36}$/);
    expect(token?.objectRef).toMatchObject({ resource: 'serviceaccounts', subresource: 'token', name: 'default' });
  });

  test('of failures that nobody foresaw end with a panic', async () => {
    const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } };
    await ask('POST', '/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status } });
    expect((await ask('GET', '/api/v1/nodes/http:n:80/proxy/x')).code).toBe(500);
    const [, last, ...more] = events('/api/v1/nodes/http:n:80/proxy');
    expect(more).toEqual([]);
    expect(last).toBeUndefined();
    expect(events('/api/v1/nodes/http:n:80/proxy')[0]).toMatchObject({
      stage: 'Panic',
      responseStatus: { status: 'Failure', message: "APIServer panic'd: nobody may be reached", reason: 'InternalError', code: 500 },
    });
  });

  test('of what the policy leaves out do not exist', async () => {
    await ask('GET', '/healthz');
    await ask('GET', '/version');
    expect(
      events('/')
        .map(({ requestURI }) => requestURI)
        .filter((uri) => !uri.startsWith('/api')),
    ).toEqual(['/version']);
    const metrics = await (await request(`${server.url}/metrics`, { dispatcher: admin })).body.text();
    expect(metrics).toMatch(/^apiserver_audit_level_total\{level="None"\} [1-9]/m);
    expect(metrics).toMatch(/^apiserver_audit_event_total [1-9]/m);
  });
});
