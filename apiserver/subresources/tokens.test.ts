import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from '../http/testing.ts';

let server: TestApiServer;
let admin: Agent;
let plain: Agent;
const clock = new FakeClock(Date.now());
const accounts = '/api/v1/namespaces/default/serviceaccounts';

const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
const path = join(folder, 'audit.log');
const delivery = {
  mode: 'blocking',
  batch: { bufferSize: 1, maxSize: 1, maxWaitMs: 0, throttle: undefined, maxSending: 1 },
  truncate: undefined,
} as const;
const log = { path, maxAgeDays: 0, maxBackups: 0, maxMegabytes: 0, compress: false, format: 'json', delivery } as const;

beforeAll(async () => {
  const policy = { rules: [{ level: 'Metadata', omitStages: ['RequestReceived'] }] } as const;
  server = await startTestApiServer({ clock, audit: { policy, log, webhook: undefined } });
  admin = agentOf(server.adminClientConfig);
  plain = new Agent({ connect: { ca: server.ca.cert } });
  await send('POST', accounts, { metadata: { name: 'default' } });
  await send('POST', accounts, { metadata: { name: 'robot' } });
});

afterAll(async () => {
  await Promise.all([admin.destroy(), plain.destroy()]);
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function send(method: string, path: string, body?: object): Promise<{ code: number; json: Record<string, never> }> {
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: admin,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { code: answer.statusCode, json: (await answer.body.json()) as Record<string, never> };
}

async function token(name: string, spec: object): Promise<string> {
  const { json } = await send('POST', `${accounts}/${name}/token`, { spec });
  return (json as unknown as { status: { token: string } }).status.token;
}

/** What a bearer of the token is answered when asking for discovery. */
async function codeFor(bearer: string): Promise<number> {
  const answer = await request(`${server.url}/api`, { dispatcher: plain, headers: { authorization: `Bearer ${bearer}` } });
  await answer.body.dump();
  return answer.statusCode;
}

/** What somebody who asks what the token is worth is told. */
async function whyRefused(bearer: string): Promise<string | undefined> {
  const { json } = await send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: bearer } });
  return (json as { status?: { error?: string } }).status?.error;
}

function uidOf(json: object): string {
  return (json as { metadata: { uid: string } }).metadata.uid;
}

describe('service account tokens', () => {
  test('say who one is', async () => {
    const bearer = await token('robot', {});
    const answer = await request(`${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
      method: 'POST',
      dispatcher: plain,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await answer.body.json()).toMatchObject({
      status: {
        userInfo: {
          username: 'system:serviceaccount:default:robot',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        },
      },
    });
  });

  test('expire', async () => {
    const bearer = await token('robot', { expirationSeconds: 600 });
    expect(await codeFor(bearer)).toBe(200);
    // Clocks of servers may be a minute apart.
    await clock.advance(655_000);
    expect(await codeFor(bearer)).toBe(200);
    await clock.advance(10_000);
    expect(await codeFor(bearer)).toBe(401);
    expect(await whyRefused(bearer)).toBe('service account token has expired');
  });

  test('die with their pod and their account', async () => {
    await send('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'p' },
      spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
    });
    const bound = await token('robot', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } });
    expect(await codeFor(bound)).toBe(200);
    await send('DELETE', '/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0');
    expect(await codeFor(bound)).toBe(401);
    expect(await whyRefused(bound)).toBe('service account token has been invalidated');
    const other = await send('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'p' },
      spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
    });
    expect(await whyRefused(bound)).toMatch(
      new RegExp(`^pod UID \\(${uidOf(other.json)}\\) does not match service account pod ref claim \\([-0-9a-f]{36}\\)$`),
    );
    await send('POST', accounts, { metadata: { name: 'brief' } });
    const bearer = await token('brief', {});
    await send('DELETE', `${accounts}/brief`);
    expect(await codeFor(bearer)).toBe(401);
    expect(await whyRefused(bearer)).toBe('serviceaccounts "brief" not found');
    // A namesake is somebody else.
    const { json } = await send('POST', accounts, { metadata: { name: 'brief' } });
    expect(await codeFor(bearer)).toBe(401);
    expect(await whyRefused(bearer)).toMatch(
      new RegExp(`^service account UID \\(${uidOf(json)}\\) does not match claim \\([-0-9a-f]{36}\\)$`),
    );
  });

  test('for another audience do not count here', async () => {
    expect(await codeFor(await token('robot', { audiences: ['somebody-else'] }))).toBe(401);
  });

  test('forged or broken ones do not count', async () => {
    const bearer = await token('robot', {});
    const forged = `${bearer.slice(0, -4)}AAAA`;
    expect(await codeFor(forged)).toBe(401);
    expect(await whyRefused(forged)).toBe('go-jose/go-jose: error in cryptographic primitive');
    const [, payload, signature] = bearer.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'unknown' })).toString('base64url');
    expect(await whyRefused(`${header}.${payload}.${signature}`)).toBe('invalid signature, no keys found');
    expect(await codeFor('nonsense')).toBe(401);
  });

  test.each<[string, object, string]>([
    [
      'too short',
      { expirationSeconds: 10 },
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
    ],
    [
      'bound to nothing known',
      { boundObjectRef: { kind: 'Cat', apiVersion: 'v1', name: 'x' } },
      'cannot bind token to object of type /v1, Kind=Cat',
    ],
    ['bound to a missing pod', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'x' } }, 'pods "x" not found'],
  ])('refused: %s', async (_name, spec, message) => {
    expect((await send('POST', `${accounts}/robot/token`, { spec })).json).toMatchObject({ kind: 'Status', message });
  });

  test.each<[string, object, object]>([
    [
      'another account',
      { name: 'other' },
      {
        code: 422,
        message:
          'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
      },
    ],
    [
      'another namespace',
      { namespace: 'elsewhere' },
      { code: 400, message: 'the namespace of the provided object does not match the namespace sent on the request' },
    ],
    [
      'an account of before',
      { uid: 'old' },
      {
        code: 409,
        message: expect.stringMatching(
          /^Operation cannot be fulfilled on TokenRequest\.authentication\.k8s\.io "robot": the UID in the token request \(old\) does not match the UID of the service account \(.{36}\)$/,
        ),
      },
    ],
    ['its own account', { name: 'robot', namespace: 'default' }, { kind: 'TokenRequest', metadata: { name: 'robot' } }],
  ])('asked for by a request about %s', async (_name, metadata, expected) => {
    expect((await send('POST', `${accounts}/robot/token`, { metadata, spec: {} })).json).toMatchObject(expected);
  });

  test('answered with who asked for what', async () => {
    const { json } = await send('POST', `${accounts}/robot/token`, { metadata: { labels: { a: 'b' } }, spec: { expirationSeconds: 900 } });
    expect(json['metadata']).toMatchObject({
      name: 'robot',
      labels: { a: 'b' },
      managedFields: [{ operation: 'Update', subresource: 'token', fieldsV1: { 'f:spec': { 'f:expirationSeconds': {} } } }],
    });
  });

  test('can be reviewed', async () => {
    const bearer = await token('robot', {});
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    expect((await send('POST', path, { metadata: { name: 'a' }, spec: { token: bearer } })).json).toMatchObject({
      metadata: { name: 'a' },
      status: { authenticated: true, user: { username: 'system:serviceaccount:default:robot' } },
    });
    // What is no token of ours is nobody's, without an error.
    expect((await send('POST', path, { spec: { token: 'x' } })).json).toMatchObject({ metadata: {}, status: { user: {} } });
    const elsewhere = await send('POST', path, { spec: { token: bearer, audiences: ['a', 'b'] } });
    expect(elsewhere.json).toMatchObject({
      status: { error: expect.stringMatching(/^token audiences \[".*"\] is invalid for the target audiences \["a" "b"\]$/) },
    });
  });

  test('of pods that should have been replaced are good, but told', async () => {
    await send('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'slow' },
      spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
    });
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'slow' };
    const bearer = await token('robot', { expirationSeconds: 3_607, boundObjectRef });
    expect(await codeFor(bearer)).toBe(200);
    expect(await podTokens()).toEqual({ valid: '1', stale: '0' });
    await clock.advance(3_610_000);
    expect(await codeFor(bearer)).toBe(200);
    expect(await podTokens()).toEqual({ valid: '1', stale: '1' });
    const notes = readFileSync(path, 'utf8').match(/"authentication\.k8s\.io\/stale-token":"[^"]*"/g);
    expect(notes).toEqual([
      expect.stringMatching(/"subject: system:serviceaccount:default:robot, seconds after warning threshold: [234]"$/),
    ]);
  });
});

/** How many uses of tokens of pods were counted. */
async function podTokens(): Promise<Record<string, string | undefined>> {
  const answer = await request(`${server.url}/metrics`, { dispatcher: admin });
  const text = await answer.body.text();
  const count = (state: string): string | undefined => new RegExp(`^serviceaccount_${state}_tokens_total (\\d+)$`, 'm').exec(text)?.[1];
  return { valid: count('valid'), stale: count('stale') };
}
