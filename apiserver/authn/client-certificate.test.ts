// What subjects of client certificates say, over real HTTPS.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { certificateSerial, importSigningKey, type KeyPair } from '#base/pki.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const uid = '1.3.6.1.4.1.57683.2';
let server: TestApiServer;
beforeAll(async () => {
  server = await startTestApiServer();
});
afterAll(() => server.stop());

async function sign({ cert, key }: KeyPair, subject: x509.JsonName): Promise<KeyPair> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const [signingKey, signingAlgorithm] = await importSigningKey(key);
  const nowMs = systemClock.nowMs();
  const signed = await x509.X509CertificateGenerator.create({
    serialNumber: certificateSerial(),
    subject,
    issuer: new x509.X509Certificate(cert).subject,
    notBefore: new Date(nowMs - 60_000),
    notAfter: new Date(nowMs + 3_600_000),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { cert: signed.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` };
}

const everybody = 'system:authenticated';
test.each<[string, x509.JsonName, unknown]>([
  ['name and groups', [{ O: ['a'] }, { O: ['b'] }, { CN: ['ann'] }], { username: 'ann', groups: ['a', 'b', everybody] }],
  ['a uid', [{ CN: ['ann'] }, { [uid]: ['client_id'] }], { username: 'ann', uid: 'client_id', groups: [everybody] }],
  ['an empty uid', [{ CN: ['ann'] }, { [uid]: [''] }], 401],
  ['several uids', [{ CN: ['ann'] }, { [uid]: ['a'] }, { [uid]: ['b'] }], 401],
  ['no name', [{ O: ['a'] }], 403],
])('%s', async (_name, subject, expected) => {
  const pair = await sign(server.ca, subject);
  const agent = new Agent({ allowH2: false, connect: { ca: server.ca.cert, cert: pair.cert, key: pair.key } });
  const answer = await request(`${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { status } = (await answer.body.json()) as { status: { userInfo?: object } };
  await agent.destroy();
  const { extra: _credential, ...user } = (status.userInfo ?? {}) as { extra?: unknown };
  expect(answer.statusCode === 201 ? user : answer.statusCode).toEqual(expected);
});
