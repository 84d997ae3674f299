import { X509Certificate } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CertificateSigningRequest, certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { systemClock } from '#base/clock.ts';
import { createSigningRequest } from '#base/pki.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { ControlPlane } from '../testing.ts';
import { signers } from './recognize.ts';

const never = new AbortController().signal;
let plane: ControlPlane;
let bootstrap: RestClient;

beforeAll(async () => {
  const { startTestApiServer } = await import('#apiserver/testing.ts');
  const server = await startTestApiServer();
  const pair = server.ca;
  await server.stop();
  const all = Object.fromEntries(Object.values(signers).map((signer) => [signer, pair]));
  plane = await ControlPlane.start({ signing: { authorities: all, durationMs: 3_600_000 } });
  bootstrap = connect(await plane.server.clientConfigFor('system:bootstrap:abcdef', ['system:bootstrappers']), {
    clock: systemClock,
    component: 'test',
  });
  for (const [name, role] of [
    ['join', 'system:node-bootstrapper'],
    ['approve', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient'],
  ]) {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role ?? '' };
    await plane.client.create(
      clusterRoleBinding,
      { metadata: { name: name ?? '' }, roleRef, subjects: [{ kind: 'Group', name: 'system:bootstrappers' }] },
      {},
      never,
    );
  }
});
afterAll(async () => {
  await bootstrap[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

async function ask(name: string, commonName: string, signerName: string = signers.kubeletClient): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const pem = await createSigningRequest({ commonName, organizations: ['system:nodes'] }, privateKey);
  const spec = { request: Buffer.from(pem).toString('base64'), signerName, usages: ['digital signature', 'client auth'] };
  const work = () =>
    bootstrap.create<CertificateSigningRequest>(certificateSigningRequest, { metadata: { name }, spec } as never, {}, never);
  await plane.until('rights', () =>
    work().then(
      () => true,
      () => false,
    ),
  );
}

const find = (name: string): Promise<CertificateSigningRequest | undefined> =>
  plane.find<CertificateSigningRequest>(certificateSigningRequest, name);

test('a node that joins is approved and gets its certificate', async () => {
  await ask('joins', 'system:node:n1');
  const text = await plane.until('a certificate', async () => (await find('joins'))?.status.certificate);
  const certificate = new X509Certificate(Buffer.from(text, 'base64'));
  expect(certificate.subject.split('\n').toSorted()).toEqual(['CN=system:node:n1', 'O=system:nodes']);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect((await find('joins'))?.status.conditions).toMatchObject([
    {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    },
  ]);
});

test('what is no node waits for people; what the signer cannot promise fails', async () => {
  await ask('stranger', 'ann');
  await ask('other', 'system:node:n2', signers.kubeletServing);
  const found = await find('other');
  const approval = [{ type: 'Approved', status: 'True', reason: 'Test', message: '' }];
  const approved = { ...found, status: { ...found?.status, conditions: approval } } as CertificateSigningRequest;
  await plane.client.update<CertificateSigningRequest>(certificateSigningRequest, approved, { subresource: 'approval' }, never);
  const failed = await plane.until('the failure', async () =>
    (await find('other'))?.status.conditions?.find(({ type }) => type === 'Failed'),
  );
  expect(failed).toMatchObject({ reason: 'SignerValidationFailure', message: 'DNS or IP subjectAltName is required' });
  expect((await find('stranger'))?.status.conditions).toBeUndefined();
});
