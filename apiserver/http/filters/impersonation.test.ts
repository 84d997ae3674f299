// Acting as somebody else, over real HTTPS.
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../testing.ts';

let server: TestApiServer;
let admin: Agent;
let bob: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  const agentOf = (credentials: TestApiServer['adminClientConfig']['credentials']): Agent => {
    if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
    // By HTTP/1.1: over HTTP/2 undici joins what comes several times.
    return new Agent({ allowH2: false, connect: { ca: server.ca.cert, cert: credentials.cert, key: credentials.key } });
  };
  admin = agentOf(server.adminClientConfig.credentials);
  bob = agentOf((await server.clientConfigFor('bob', ['team'])).credentials);
});

afterAll(async () => {
  await Promise.all([admin.destroy(), bob.destroy()]);
  await server.stop();
});

type Headers = Record<string, string | string[]>;

async function whoAmI(headers: Headers, as = admin): Promise<{ code: number; text: string; user: unknown; message: unknown }> {
  const answer = await request(`${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    method: 'POST',
    dispatcher: as,
    headers: { 'content-type': 'application/json', ...headers },
    body: '{}',
  });
  const text = await answer.body.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as { status?: { userInfo?: unknown }; message?: string }) : {};
  return { code: answer.statusCode, text, user: json.status?.userInfo, message: json.message };
}

describe('impersonation', () => {
  test.each<[string, Headers, unknown]>([
    ['a user', { 'Impersonate-User': 'joe' }, { username: 'joe', groups: ['system:authenticated'] }],
    [
      'groups, of which one has a comma',
      { 'Impersonate-User': 'joe', 'Impersonate-Group': ['a,b', 'c'] },
      { username: 'joe', groups: ['a,b', 'c', 'system:authenticated'] },
    ],
    [
      'a service account',
      { 'Impersonate-User': 'system:serviceaccount:x:y' },
      { username: 'system:serviceaccount:x:y', groups: ['system:serviceaccounts', 'system:serviceaccounts:x', 'system:authenticated'] },
    ],
    [
      'uid and extra',
      { 'Impersonate-User': 'joe', 'Impersonate-Uid': '7', 'Impersonate-Extra-Acme.Org%2fScope': 'view' },
      { username: 'joe', uid: '7', groups: ['system:authenticated'], extra: { 'acme.org/scope': ['view'] } },
    ],
  ])('lets an administrator be %s', async (_name, headers, user) => {
    expect(await whoAmI(headers)).toMatchObject({ code: 201, user });
  });

  test('gives the rights of the other user only', async () => {
    const { statusCode, body } = await request(`${server.url}/api/v1/pods`, { dispatcher: admin, headers: { 'Impersonate-User': 'joe' } });
    expect([statusCode, ((await body.json()) as { message: string }).message]).toEqual([
      403,
      'pods is forbidden: User "joe" cannot list resource "pods" in API group "" at the cluster scope',
    ]);
  });

  test('is refused to everybody else', async () => {
    expect(await whoAmI({ 'Impersonate-User': 'joe' }, bob)).toMatchObject({
      code: 403,
      message: 'users "joe" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
  });

  test('needs a user', async () => {
    const { code, text } = await whoAmI({ 'Impersonate-Group': 'a' });
    expect([code, text]).toEqual([500, expect.stringContaining('without impersonating a user')]);
  });
});
