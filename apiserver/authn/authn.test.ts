// Ways to prove who one is, over real HTTPS; service-account tokens have their tests beside tokens.
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { secret } from '#api/core/secret.ts';
import { systemClock } from '#base/clock.ts';
import { createCa, signCertificate, type KeyPair } from '#base/pki.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { readStaticTokens } from './static-tokens.ts';

const { signal } = new AbortController();
const tokenFile = '# token,user,uid,groups\nsesame,ann,7,"a, b"\n\nplain,bob,\n';
let server: TestApiServer;
let admin: RestClient;
let proxyCa: KeyPair;
const agents = new Map<string, Agent>();

beforeAll(async () => {
  proxyCa = await createCa('front-proxy-ca', systemClock.nowMs());
  const frontProxy = {
    ca: proxyCa.cert,
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: ['X-Remote-Uid'],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
  };
  server = await startTestApiServer({ authentication: { frontProxy, staticTokens: readStaticTokens(tokenFile) } });
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  const agent = (pair?: KeyPair): Agent => new Agent({ allowH2: false, connect: { ca: server.ca.cert, ...pair } });
  const sign = (ca: KeyPair, commonName: string): Promise<KeyPair> =>
    signCertificate(ca, { commonName, usages: ['client'] }, systemClock.nowMs());
  agents.set('nobody', agent());
  agents.set('proxy', agent(await sign(proxyCa, 'front-proxy-client')));
  agents.set('false proxy', agent(await sign(proxyCa, 'kubernetes-admin')));
  agents.set('bob', agent(await sign(server.ca, 'bob')));
  await makeToken('aaaaaa', {});
  await makeToken('expire', { expiration: new Date(systemClock.nowMs() - 1_000).toISOString() });
  await makeToken('broken', { expiration: 'soon' });
  await makeToken('future', {
    expiration: new Date(systemClock.nowMs() + 60_000).toISOString(),
    'auth-extra-groups': 'system:bootstrappers:x,system:bootstrappers:a',
  });
  await makeToken('signer', { 'usage-bootstrap-authentication': 'false' });
  await makeToken('greedy', { 'auth-extra-groups': 'system:masters' });
  await makeToken('opaque', {}, 'Opaque');
});
afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.destroy()));
  await admin[Symbol.asyncDispose]();
  await server.stop();
});

async function makeToken(id: string, more: Readonly<Record<string, string>>, type = 'bootstrap.kubernetes.io/token'): Promise<void> {
  const stringData = { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more };
  await admin.create(
    secret,
    { metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' }, type, stringData } as never,
    {},
    signal,
  );
}

async function whoAmI(as: string, headers: Record<string, string | string[]>): Promise<unknown> {
  const answer = await request(`${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    method: 'POST',
    dispatcher: agents.get(as) as Agent,
    headers: { 'content-type': 'application/json', ...headers },
    body: '{}',
  });
  const json = (await answer.body.json()) as { status: { userInfo?: unknown } };
  return json.status.userInfo ?? answer.statusCode;
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const everybody = 'system:authenticated';

describe('bearer tokens', () => {
  test.each<[string, unknown]>([
    ['aaaaaa.0123456789abcdef', { username: 'system:bootstrap:aaaaaa', groups: ['system:bootstrappers', everybody] }],
    [
      'future.0123456789abcdef',
      {
        username: 'system:bootstrap:future',
        groups: ['system:bootstrappers', 'system:bootstrappers:a', 'system:bootstrappers:x', everybody],
      },
    ],
    ['aaaaaa.0123456789abcdee', 401],
    ['aaaaaa.0123456789abcde', 401],
    ['expire.0123456789abcdef', 401],
    ['broken.0123456789abcdef', 401],
    ['signer.0123456789abcdef', 401],
    ['greedy.0123456789abcdef', 401],
    ['opaque.0123456789abcdef', 401],
    ['nobody.0123456789abcdef', 401],
    ['sesame', { username: 'ann', uid: '7', groups: ['a', 'b', everybody] }],
    ['plain', { username: 'bob', groups: [everybody] }],
    ['other', 401],
  ])('%s', async (token, expected) => {
    expect(await whoAmI('nobody', bearer(token))).toEqual(expected);
  });

  test.each<[string, string, string | undefined]>([
    ['bearer sesame', 'ann', undefined],
    ['Bearer sesame and more', 'ann', undefined],
    ['Bearer', 'system:anonymous', undefined],
    ['Bearer: sesame', 'system:anonymous', undefined],
    ['bear sesame', 'system:anonymous', undefined],
    [
      'Bearer  sesame',
      'system:anonymous',
      '299 - "the provided Authorization header contains extra space before the bearer token, and is ignored"',
    ],
  ])('in "%s" are those of %s', async (authorization, name, warning) => {
    const { statusCode, headers, body } = await request(`${server.url}/api/v1/nodes`, {
      dispatcher: agents.get('nobody') as Agent,
      headers: { authorization },
    });
    const { message } = (await body.json()) as { message: string };
    expect([statusCode, message.startsWith(`nodes is forbidden: User "${name}"`), headers['warning']]).toEqual([403, true, warning]);
  });

  test.each<[string, string[] | undefined, unknown]>([
    [
      'sesame',
      undefined,
      {
        authenticated: true,
        user: { username: 'ann', uid: '7', groups: ['a', 'b', everybody] },
        audiences: ['https://kubernetes.default.svc.cluster.local'],
      },
    ],
    [
      'aaaaaa.0123456789abcdef',
      undefined,
      {
        authenticated: true,
        user: { username: 'system:bootstrap:aaaaaa', groups: ['system:bootstrappers', everybody] },
        audiences: ['https://kubernetes.default.svc.cluster.local'],
      },
    ],
    ['sesame', ['vault'], { user: {} }],
    ['other', undefined, { user: {} }],
  ])('a review of %s for %j', async (token, audiences, status) => {
    const { statusCode, body } = await request(`${server.url}/apis/authentication.k8s.io/v1/tokenreviews`, {
      method: 'POST',
      dispatcher: agents.get('nobody') as Agent,
      headers: { 'content-type': 'application/json', ...bearer(await adminToken()) },
      body: JSON.stringify({ spec: { token, ...(audiences === undefined ? {} : { audiences }) } }),
    });
    const answer = (await body.json()) as { status: unknown };
    expect([statusCode, answer.status]).toEqual([201, status]);
  });

  /** The token of an account that may review. */
  async function adminToken(): Promise<string> {
    const kinds = server.registry.kinds();
    const kindOf = (kind: string) => kinds.find((one) => one.kind === kind) as never;
    const metadata = { name: 'reviewer', namespace: 'default' };
    await admin.create(kindOf('ServiceAccount'), { metadata } as never, {}, signal).catch(() => undefined);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' };
    const subjects = [{ kind: 'ServiceAccount', ...metadata }];
    await admin
      .create(kindOf('ClusterRoleBinding'), { metadata: { name: 'reviewer' }, roleRef, subjects } as never, {}, signal)
      .catch(() => undefined);
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [] } };
    const answer = (await admin.createSub(kindOf('ServiceAccount'), metadata, 'token', body, signal)) as { status: { token: string } };
    return answer.status.token;
  }
});

describe('a front proxy', () => {
  const headers = {
    'X-Remote-User': 'carol',
    'X-Remote-Group': ['a,b', 'c'],
    'X-Remote-Uid': '9',
    'X-Remote-Extra-Acme.Org%2fScope': ['view', 'edit'],
  };
  test('says who its client is', async () => {
    expect(await whoAmI('proxy', headers)).toEqual({
      username: 'carol',
      uid: '9',
      groups: ['a,b', 'c', everybody],
      extra: { 'acme.org/scope': ['view', 'edit'] },
    });
  });

  test.each<[string, string, Record<string, string | string[]>, unknown]>([
    ['without a client is nobody', 'proxy', {}, 401],
    ['of another name is not believed', 'false proxy', headers, 401],
    ['is nobody else', 'nobody', headers, 403],
  ])('%s', async (_name, as, sent, expected) => {
    const answer = await whoAmI(as, sent).catch(() => 403);
    expect(answer).toEqual(expected);
  });

  test('headers of others mean nothing', async () => {
    expect(await whoAmI('bob', headers)).toMatchObject({ username: 'bob', groups: [everybody] });
  });
});

test('what proves clients is published for other servers', async () => {
  const found = await admin.get(configMap, { namespace: 'kube-system', name: 'extension-apiserver-authentication' }, signal);
  expect(found.data).toEqual({
    'client-ca-file': server.ca.cert,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-client-ca-file': proxyCa.cert,
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  });
});

test.each([
  ['a,b', 'token file line 1 must have at least 3 columns (token, user name, user uid), found 2'],
  ['x,y,z\n,b,c', 'token file line 2 has no token'],
])('a token file that says %j is refused', (text, why) => {
  expect(() => readStaticTokens(text)).toThrow(why);
});
