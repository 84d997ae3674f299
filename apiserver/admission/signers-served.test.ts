// Signing requests and new nodes as clients meet them: what RBAC lets through, and what the plugins behind it say.
import { execFileSync } from 'node:child_process';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const group = 'certificates.k8s.io';
const requests = `/apis/${group}/v1/certificatesigningrequests`;
let server: TestApiServer;
const agents = new Map<string, Agent>();

interface Answer {
  readonly code: number;
  readonly json: {
    readonly message?: string;
    readonly metadata: object;
    readonly spec: { readonly taints?: object[] };
    readonly status: object;
  };
}

async function send(user: string, method: string, path: string, body?: object): Promise<Answer> {
  const agent = agents.get(user) as Agent;
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { code: answer.statusCode, json: (await answer.body.json()) as Answer['json'] };
}

async function grant(user: string, rules: readonly object[]): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await send('admin', 'POST', `${rbac}/clusterroles`, { metadata: { name: user }, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user };
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const { code } = await send('admin', 'POST', `${rbac}/clusterrolebindings`, { metadata: { name: user }, roleRef, subjects });
  expect(code).toBe(201);
}

beforeAll(async () => {
  server = await startTestApiServer();
  for (const user of ['admin', 'clerk', 'approver', 'signer']) {
    const { ca, credentials } = await server.clientConfigFor(user, user === 'admin' ? ['system:masters'] : []);
    const pair = credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {};
    agents.set(user, new Agent({ connect: { ca: ca ?? '', ...pair } }));
  }
  const resources = ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'];
  const all = { apiGroups: [group], resources, verbs: ['*'] };
  const signers = (verb: string): object => ({
    apiGroups: [group],
    resources: ['signers'],
    resourceNames: ['example.com/*'],
    verbs: [verb],
  });
  await grant('clerk', [all]);
  await grant('approver', [all, signers('approve')]);
  await grant('signer', [all, signers('sign')]);
});

afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.destroy()));
  await server.stop();
});

function aRequest(name: string, subject: string, signerName: string): object {
  const pem = execFileSync(
    'openssl',
    ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-subj', subject],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return { metadata: { name }, spec: { request: pem.toString('base64'), signerName, usages: ['client auth'] } };
}

const forbidden = (name: string, why: string): object => ({
  code: 403,
  json: { reason: 'Forbidden', message: `certificatesigningrequests.${group} "${name}" is forbidden: ${why}` },
});

test('who may write approvals still needs the right for the signer', async () => {
  const made = await send('clerk', 'POST', requests, aRequest('one', '/CN=x', 'example.com/x'));
  expect(made.code).toBe(201);
  const approval = { ...made.json, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'r', message: 'm' }] } };
  const path = `${requests}/one/approval`;
  expect(await send('clerk', 'PUT', path, approval)).toMatchObject(
    forbidden('one', 'user not permitted to approve requests with signerName "example.com/x"'),
  );
  expect(await send('approver', 'PUT', path, approval)).toMatchObject({ code: 200 });
});

test('who may write the status still needs the right to sign, where it is about the outcome', async () => {
  const made = await send('clerk', 'POST', requests, aRequest('two', '/CN=x', 'example.com/x'));
  const failed = { ...made.json, status: { conditions: [{ type: 'Failed', status: 'True', reason: 'r', message: 'm' }] } };
  const path = `${requests}/two/status`;
  expect(await send('clerk', 'PUT', path, made.json)).toMatchObject({ code: 200 });
  for (const user of ['clerk', 'approver']) {
    expect(await send(user, 'PUT', path, failed)).toMatchObject(
      forbidden('two', 'user not permitted to sign requests with signerName "example.com/x"'),
    );
  }
  expect(await send('signer', 'PUT', path, failed)).toMatchObject({ code: 200 });
});

test('nobody asks for a certificate of an administrator, not even one', async () => {
  const signerName = 'kubernetes.io/kube-apiserver-client';
  expect(await send('admin', 'POST', requests, aRequest('three', '/O=system:masters/CN=x', signerName))).toMatchObject(
    forbidden('three', `use of ${signerName} signer with system:masters group is not allowed`),
  );
  expect((await send('admin', 'POST', requests, aRequest('four', '/O=system:masters/CN=x', 'example.com/x'))).code).toBe(201);
});

test('a new node is not ready until its controller has looked, and is tainted once', async () => {
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
  const other = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' };
  for (const [name, taints, expected] of [
    ['plain', undefined, [taint]],
    ['said', [taint], [taint]],
    ['other', [other], [other, taint]],
  ] as const) {
    const { json } = await send('admin', 'POST', '/api/v1/nodes', { metadata: { name }, spec: { taints } });
    expect(json.spec.taints).toEqual(expected);
  }
});
