// How a node comes to its certificate, keeps it and replaces it, against an API server; the test approves and signs.
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { type CertificateSigningRequest, certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { signCertificate } from '#base/pki.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { type BootstrapOptions, ensureIdentity } from './bootstrap.ts';
import { CertificateFile } from './certificate-file.ts';
import { rotationMs } from './plan.ts';
import { CertificateRotation } from './rotation.ts';

let server: TestApiServer;
let client: RestClient;
let folder: string;
let life: AbortController;
const deps = { clock: systemClock, log: silentLog };

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubelet-identity-'));
  life = new AbortController();
});
afterEach(async () => {
  life.abort(new Error('the test is over'));
  await client.deleteCollection(certificateSigningRequest, {}, new AbortController().signal);
  rmSync(folder, { recursive: true, force: true });
});

function options(own: Partial<BootstrapOptions> = {}): BootstrapOptions {
  const bootstrapKubeconfig = join(folder, 'bootstrap.conf');
  const { credentials } = server.adminClientConfig;
  writeFileSync(bootstrapKubeconfig, kubeconfigText({ name: 'b', server: server.url, ca: server.ca.cert, credentials }));
  const certFolder = join(folder, 'pki');
  return { kubeconfig: join(folder, 'kubelet.conf'), bootstrapKubeconfig, certFolder, nodeName: 'n1', rotates: true, ...own };
}

/** Waits for the one request there is. */
async function pending(): Promise<CertificateSigningRequest> {
  for (;;) {
    const [found] = (await client.list(certificateSigningRequest, {}, life.signal)).items;
    if (found !== undefined) return found;
    await systemClock.sleep(20, life.signal);
  }
}

/** What the signer would do, for the requester's own key pair is not known here: the certificate is of another key. */
async function sign(request: CertificateSigningRequest, condition = 'Approved'): Promise<string> {
  const { name = '' } = request.metadata;
  const conditions = [{ type: condition, status: 'True', reason: 'Test', message: 'by the test' }];
  await client.update(
    certificateSigningRequest,
    { ...request, status: { conditions } } as CertificateSigningRequest,
    { subresource: 'approval' },
    life.signal,
  );
  const { cert } = await signCertificate(
    server.ca,
    { commonName: 'system:node:n1', organizations: ['system:nodes'], usages: ['client'] },
    systemClock.nowMs(),
  );
  const certificate = Buffer.from(cert).toString('base64');
  if (condition === 'Approved')
    await client.patch(
      certificateSigningRequest,
      { name },
      { status: { certificate } },
      { type: 'merge', subresource: 'status' },
      life.signal,
    );
  return cert;
}

test('a node without a kubeconfig asks for a certificate and writes both', async () => {
  const made = options();
  const done = ensureIdentity(made, deps, life.signal);
  const request = await pending();
  expect(request.spec).toMatchObject({
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  });
  expect(request.metadata.name).toMatch(/^node-csr-[\w-]{43}$/);
  const cert = await sign(request);
  await done;
  const current = join(made.certFolder, 'kubelet-client-current.pem');
  expect(readlinkSync(current)).toMatch(/^kubelet-client-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/);
  expect(readFileSync(current, 'utf8')).toContain(cert.trim());
  expect(findEndpoint({ path: made.kubeconfig, env: {} })).toMatchObject({
    server: server.url,
    credentials: { kind: 'certificate-files', certFile: current, keyFile: current },
  });
  expect(existsSync(join(made.certFolder, 'kubelet-client.key.tmp'))).toBe(false);
});

test('who is killed while waiting finds the same request again', async () => {
  const made = options();
  const first = new AbortController();
  const broken = ensureIdentity(made, deps, first.signal).catch(() => undefined);
  const request = await pending();
  first.abort(new Error('killed'));
  await broken;
  const again = ensureIdentity(made, deps, life.signal);
  await sign(request);
  await again;
  expect((await client.list(certificateSigningRequest, {}, life.signal)).items).toHaveLength(1);
});

test('a denied request is said, and its key not used again', async () => {
  const made = options();
  const done = ensureIdentity(made, deps, life.signal);
  const request = await pending();
  const denied = expect(done).rejects.toThrow(/^certificate signing request node-csr-\S+ was denied: by the test$/);
  await sign(request, 'Denied');
  await denied;
  expect(readdirSync(made.certFolder)).toEqual([]);
});

test('a node that has its kubeconfig asks nobody, and keeps a copy to rotate', async () => {
  const made = options();
  const pair = await signCertificate(
    server.ca,
    { commonName: 'system:node:n1', organizations: ['system:nodes'], usages: ['client'] },
    systemClock.nowMs(),
  );
  writeFileSync(
    made.kubeconfig,
    kubeconfigText({ name: 'k', server: 'https://127.0.0.1:1', ca: server.ca.cert, credentials: { kind: 'certificate', ...pair } }),
  );
  await ensureIdentity(made, deps, life.signal);
  expect(readFileSync(join(made.certFolder, 'kubelet-client-current.pem'), 'utf8')).toBe(`${pair.cert.trim()}\n${pair.key.trim()}\n`);
});

test('without either file it says which', async () => {
  const made = options({ bootstrapKubeconfig: '/none/bootstrap.conf' });
  await expect(ensureIdentity(made, deps, life.signal)).rejects.toThrow(
    `neither the kubeconfig ${made.kubeconfig} nor the bootstrap kubeconfig /none/bootstrap.conf can be used`,
  );
});

test('a certificate is replaced before it ends, and not before it must', async () => {
  const file = new CertificateFile(join(folder, 'pki'));
  const nowMs = systemClock.nowMs();
  const request = { commonName: 'system:node:n1', organizations: ['system:nodes'], usages: ['client'] as const, validDays: 10 };
  const old = await signCertificate(server.ca, request, nowMs);
  file.write(old, nowMs);
  const clock = new FakeClock(nowMs);
  const rotation = new CertificateRotation({ client, file, nodeName: 'n1', clock, log: silentLog });
  const ended = rotation.run(life.signal, () => undefined).catch(() => undefined);
  await clock.advance(6.9 * 86_400_000);
  expect((await client.list(certificateSigningRequest, {}, life.signal)).items).toEqual([]);
  await clock.advance(2.2 * 86_400_000);
  const made = await pending();
  const cert = await sign(made);
  while (!readFileSync(file.path, 'utf8').includes(cert.trim())) {
    await clock.advance(500);
    await systemClock.sleep(10, life.signal);
  }
  life.abort(new Error('the test is over'));
  await ended;
  life = new AbortController();
});

test.each([
  [0, 70],
  [0.5, 80],
  [1, 90],
])('rotation at random %d comes after %d %% of the life', (random, percent) => {
  expect(rotationMs({ notBeforeMs: 1_000, notAfterMs: 2_000 }, random)).toBe(1_000 + percent * 10);
});
