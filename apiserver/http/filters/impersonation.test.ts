// Acting as somebody else, over real HTTPS.
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../../testing.ts';

const { signal } = new AbortController();
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
    ['the first of users', { 'Impersonate-User': ['joe', 'jim'] }, { username: 'joe', groups: ['system:authenticated'] }],
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

  test.each<[string, Headers, string]>([
    [
      'a user',
      { 'Impersonate-User': 'joe' },
      'selfsubjectreviews.authentication.k8s.io is forbidden: User "bob" cannot impersonate-on:user-info:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [
      'a service account',
      { 'Impersonate-User': 'system:serviceaccount:x:y' },
      'selfsubjectreviews.authentication.k8s.io is forbidden: User "bob" cannot impersonate-on:serviceaccount:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [
      'a service account with groups, which only the old right allows',
      { 'Impersonate-User': 'system:serviceaccount:x:y', 'Impersonate-Group': 'a' },
      'serviceaccounts "y" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "x"',
    ],
  ])('is refused to everybody else: %s', async (_name, headers, message) => {
    expect(await whoAmI(headers, bob)).toMatchObject({ code: 403, message });
  });

  test('needs a user', async () => {
    expect(await whoAmI({ 'Impersonate-Group': 'a' })).toMatchObject({
      code: 400,
      message:
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name',
    });
  });
});

describe('rights to be somebody else', () => {
  const pods = '/api/v1/namespaces/default/pods';
  const rules = (client: RestClient, name: string, list: object[]): Promise<unknown> =>
    Promise.all([
      client.create(clusterRole, { metadata: { name }, rules: list } as never, {}, signal),
      client.create(
        clusterRoleBinding,
        {
          metadata: { name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
          subjects: [{ kind: 'User', name: 'bob' }],
        } as never,
        {},
        signal,
      ),
    ]);
  const ask = async (path: string, headers: Headers): Promise<unknown> => {
    const { statusCode, body } = await request(`${server.url}${path}`, { dispatcher: bob, headers });
    const { message = '' } = (await body.json()) as { message?: string };
    return statusCode === 200 ? 200 : message;
  };

  test('constrained: to one user, for some acts', async () => {
    await using client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
    await rules(client, 'reader', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]);
    await client.patch(
      clusterRoleBinding,
      { name: 'reader' },
      { subjects: [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }] },
      { type: 'merge' },
      signal,
    );
    await rules(client, 'be-ann', [
      { verbs: ['impersonate:user-info'], apiGroups: ['authentication.k8s.io'], resources: ['users'], resourceNames: ['ann'] },
      { verbs: ['impersonate:arbitrary-node'], apiGroups: ['authentication.k8s.io'], resources: ['nodes'], resourceNames: ['n1'] },
      { verbs: ['impersonate-on:user-info:list', 'impersonate-on:arbitrary-node:list'], apiGroups: [''], resources: ['pods'] },
    ]);
    await expect.poll(() => ask(pods, { 'Impersonate-User': 'ann' })).toBe(200);
    expect(await ask(`${pods}/x`, { 'Impersonate-User': 'ann' })).toContain(
      'User "bob" cannot impersonate-on:user-info:get resource "pods"',
    );
    expect(await ask(pods, { 'Impersonate-User': 'joe' })).toBe(
      'users.authentication.k8s.io "joe" is forbidden: User "bob" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
    );
    expect(await ask(pods, { 'Impersonate-User': 'ann', 'Impersonate-Group': 'system:masters' })).toBe(
      'groups.authentication.k8s.io "system:masters" is forbidden: User "bob" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    );
    // As a node, with a node's groups.
    expect(await ask(pods, { 'Impersonate-User': 'system:node:n1' })).toBe(
      'pods is forbidden: User "system:node:n1" cannot list resource "pods" in API group "" in the namespace "default": can only list/watch pods with spec.nodeName field selector',
    );
  });

  test('the old right: everything that the other may do', async () => {
    await using client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
    await rules(client, 'be-joe', [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['joe'] }]);
    await expect
      .poll(() => ask(pods, { 'Impersonate-User': 'joe' }))
      .toBe('pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default"');
  });
});
