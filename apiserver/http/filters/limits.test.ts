// In-flight limits and deadlines. A pod whose namespace has no default account yet waits for it by the server's clock, which
// stands still here: that keeps a request open for as long as a test wants.
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer, type TestApiServer } from '../../testing.ts';

const clock = new FakeClock(Date.now());
let server: TestApiServer;
let user: Agent;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer({ clock, limits: { writes: 1, requestMs: 500 } });
  const agentFor = async (user: string, groups: string[]): Promise<Agent> => {
    const { credentials } = await server.clientConfigFor(user, groups);
    if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
    return new Agent({ connect: { ca: server.ca.cert, cert: credentials.cert, key: credentials.key } });
  };
  user = await agentFor('bob', []);
  admin = await agentFor('root', ['system:masters']);
  await giveRights('bob');
});

afterAll(async () => {
  await Promise.all([user.destroy(), admin.destroy()]);
  await server.stop();
});

/** Lets a user do everything, and waits until that is known. */
async function giveRights(name: string): Promise<void> {
  const body = {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', name }],
  };
  const headers = { 'content-type': 'application/json' };
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  await request(`${server.url}${path}`, { method: 'POST', dispatcher: admin, headers, body: JSON.stringify(body) });
  const status = (): Promise<number> => request(`${server.url}${path}`, { dispatcher: user }).then(({ statusCode }) => statusCode);
  while ((await status()) !== 200) await new Promise((resolve) => setImmediate(resolve));
}

function post(as: Agent, plural: string, body: object): Promise<{ code: number; text: string; retryAfter: unknown }> {
  return request(`${server.url}/api/v1/namespaces/default/${plural}`, {
    method: 'POST',
    dispatcher: as,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (answer) => ({ code: answer.statusCode, text: await answer.body.text(), retryAfter: answer.headers['retry-after'] }));
}

const pod = (name: string): object => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });

describe('limits', () => {
  test('too many writes are put off, except those of administrators; late ones are ended', async () => {
    const waiting = post(user, 'pods', pod('slow'));
    // The first write is inside once a timer of its own waits beside those of the server.
    const before = clock.pending;
    while (clock.pending <= before) await new Promise((resolve) => setImmediate(resolve));
    const second = await post(user, 'configmaps', { metadata: { name: 'a' } });
    expect(second).toEqual({ code: 429, text: 'Too many requests, please try again later.\n', retryAfter: '1' });
    expect((await post(admin, 'configmaps', { metadata: { name: 'b' } })).code).toBe(201);
    await clock.advance(1_000);
    const late = await waiting;
    expect(late.code).toBe(504);
    expect(JSON.parse(late.text)).toMatchObject({
      reason: 'Timeout',
      message: 'Timeout: request did not complete within the allotted timeout',
    });
    expect((await post(user, 'configmaps', { metadata: { name: 'c' } })).code).toBe(201);
  });

  test('a request may ask for less time', async () => {
    const before = clock.pending;
    const waiting = post(user, 'pods?timeout=200ms', pod('hasty'));
    while (clock.pending <= before) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    expect((await waiting).code).toBe(504);
  });

  test.each([
    ['5', 'missing unit in duration "5"'],
    ['1h2x', 'unknown unit "x" in duration "1h2x"'],
    ['soon', 'invalid duration "soon"'],
    ['-', 'invalid duration "-"'],
    ['1s.', 'invalid duration "1s."'],
  ])('but not for %s', async (timeout, why) => {
    const answer = await post(admin, `configmaps?timeout=${timeout}`, {});
    expect(JSON.parse(answer.text)).toMatchObject({ code: 400, message: `invalid timeout specified in the request URL - time: ${why}` });
  });

  test.each(['', '0', '0s', '-5s', '10h', '1m30.5s'])('%j is as good as none, or enough', async (timeout) => {
    expect((await post(admin, `configmaps?timeout=${timeout}`, { metadata: { generateName: 'x-' } })).code).toBe(201);
  });
});
