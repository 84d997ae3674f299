// Service accounts, their tokens and certificates of authority, what a subject may do, and requests for certificates.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCa } from '#base/pki.ts';
import { systemClock } from '#base/clock.ts';
import { ControlPlane } from '#controller-manager/testing.ts';
import { samples } from '#test/integration/kinds/samples.ts';
import { type AnyObject, ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
let rootCa: string;
const accounts = pathOf('v1', 'serviceaccounts', 'default');
const poll = { timeout: 10_000, interval: 20 };

beforeAll(async () => {
  ({ cert: rootCa } = await createCa('kubernetes', systemClock.nowMs()));
  plane = await ControlPlane.start({ rootCa });
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

describe('ServiceAccounts', () => {
  test('run through their lifecycle, as a watch shows', async () => {
    await using watch = await api.watch(accounts, 'labelSelector=test-account-static%3Dtrue');
    await api.post(accounts, { metadata: { name: 'lived', labels: { 'test-account-static': 'true' } } });
    const patched = await api.patch(`${accounts}/lived`, 'strategic', { automountServiceAccountToken: false });
    expect(patched['automountServiceAccountToken']).toBe(false);
    const { items } = await api.get(`${pathOf('v1', 'serviceaccounts')}?labelSelector=test-account-static%3Dtrue`);
    expect(items.map(({ metadata, ...rest }) => [metadata.name, rest['automountServiceAccountToken']])).toEqual([['lived', false]]);
    await api.delete(`${accounts}?labelSelector=test-account-static%3Dtrue`);
    const seen = await watch.until(({ type }) => type === 'DELETED');
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  test('are updated', async () => {
    await api.post(accounts, { metadata: { name: 'updated' }, automountServiceAccountToken: false });
    const updated = await api.update(`${accounts}/updated`, (found) => ({ ...found, automountServiceAccountToken: true }));
    expect(updated['automountServiceAccountToken']).toBe(true);
  });

  test('have tokens that a review authenticates', async () => {
    await api.post(accounts, { metadata: { name: 'reviewed' } });
    const { status } = (await api.post(`${accounts}/reviewed/token`, {
      spec: { audiences: [], expirationSeconds: 3600 },
    })) as AnyObject & { status: { token: string } };
    expect(status.token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const review = await api.post(pathOf('authentication.k8s.io/v1', 'tokenreviews'), { spec: { token: status.token } });
    expect(review['status']).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:reviewed' } });
    expect((review['status'] as { error?: string }).error).toBeUndefined();
  });

  test('find the issuer, its keys and their address by OIDC discovery', async () => {
    await api.post(accounts, { metadata: { name: 'discovers' } });
    const { token } = ((await api.post(`${accounts}/discovers/token`, { spec: {} })) as AnyObject & { status: { token: string } }).status;
    const { server, ca } = plane.server.adminClientConfig;
    await using pod = new ApiSession({ server, ca, credentials: { kind: 'token', token } });
    const configuration = (await pod.get('/.well-known/openid-configuration')) as unknown as { issuer: string; jwks_uri: string };
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({ iss: configuration.issuer });
    expect(configuration).toMatchObject({
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: expect.arrayContaining([expect.stringMatching(/^[ER]S256$/)]) as string[],
    });
    expect(configuration.jwks_uri).toMatch(/\/openid\/v1\/jwks$/);
    const { keys } = (await pod.get('/openid/v1/jwks')) as unknown as { keys: { kid: string }[] };
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
    expect(keys.map((key) => key.kid)).toContain(kid);
  });
});

test('every namespace has a ConfigMap with the root CA: made by itself, made again, put right', async () => {
  await plane.inNamespace('with-root-ca');
  const path = `${pathOf('v1', 'configmaps', 'with-root-ca')}/kube-root-ca.crt`;
  const found = (): Promise<unknown> => api.get(path).then(({ data }) => data, String);
  await expect.poll(found, poll).toEqual({ 'ca.crt': rootCa });
  await api.delete(path);
  await expect.poll(found, poll).toEqual({ 'ca.crt': rootCa });
  await api.update(path, (map) => ({ ...map, data: { 'ca.crt': '' } }));
  await expect.poll(found, poll).toEqual({ 'ca.crt': rootCa });
});

test('reviews of what an account may do say what happens when it tries', async () => {
  await api.post(accounts, { metadata: { name: 'asks' } });
  const user = 'system:serviceaccount:default:asks';
  const maps = pathOf('v1', 'configmaps', 'default');
  await using itself = new ApiSession(plane.server.adminClientConfig, { 'impersonate-user': user });
  const tries = async (): Promise<boolean> => (await itself.send('GET', maps)).code === 200;
  const asks = async (group: 'subjectaccessreviews' | 'localsubjectaccessreviews'): Promise<unknown> => {
    const isLocal = group.startsWith('local');
    const review = await api.post(pathOf('authorization.k8s.io/v1', group, isLocal ? 'default' : undefined), {
      metadata: isLocal ? { namespace: 'default' } : {},
      spec: { user, resourceAttributes: { namespace: 'default', verb: 'list', resource: 'configmaps', version: 'v1' } },
    });
    return (review['status'] as { allowed: boolean }).allowed;
  };
  expect([await tries(), await asks('subjectaccessreviews'), await asks('localsubjectaccessreviews')]).toEqual([false, false, false]);
  await api.post(pathOf('rbac.authorization.k8s.io/v1', 'rolebindings', 'default'), {
    metadata: { name: 'asks' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'asks', namespace: 'default' }],
  });
  await expect.poll(tries, poll).toBe(true);
  expect([await asks('subjectaccessreviews'), await asks('localsubjectaccessreviews')]).toEqual([true, true]);
});

test('CertificateSigningRequests are approved by patch and by update, and their approval is read back', async () => {
  const requests = pathOf('certificates.k8s.io/v1', 'certificatesigningrequests');
  const sample = samples.find(({ kind }) => kind === 'CertificateSigningRequest');
  await api.post(requests, { ...sample, metadata: { name: 'approved' } });
  const path = `${requests}/approved`;
  expect(await api.get(`${path}/approval`)).toMatchObject({ kind: 'CertificateSigningRequest', metadata: { name: 'approved' } });
  const condition = { type: 'ApprovalPatch', status: 'True', reason: 'e2e' };
  const patched = await api.patch(`${path}/approval`, 'merge', {
    metadata: { annotations: { patchedapproval: 'true' } },
    status: { conditions: [condition] },
  });
  expect(patched.metadata.annotations).toMatchObject({ patchedapproval: 'true' });
  expect(patched['status']).toMatchObject({ conditions: [condition] });
  const approved = await api.update(
    `${path}/approval`,
    (found) => ({
      ...found,
      status: {
        conditions: [...(found['status'] as { conditions: object[] }).conditions, { type: 'Approved', status: 'True', reason: 'e2e' }],
      },
    }),
    `${path}/approval`,
  );
  expect(approved['status']).toMatchObject({ conditions: [condition, { type: 'Approved' }] });
});
