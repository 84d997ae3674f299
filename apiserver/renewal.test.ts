import { connect as dial } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namespace } from '#api/core/namespace.ts';
import { systemClock } from '#base/clock.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { connect } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from './testing.ts';

const signal = new AbortController().signal;
const kubelet = { cert: undefined, key: undefined, ca: undefined, addressTypes: [] };
const trusting = ({ cert }: KeyPair) => ({ clientCa: cert, frontProxy: undefined });
let server: TestApiServer;
let next: KeyPair;
let pair: KeyPair;

beforeAll(async () => {
  server = await startTestApiServer();
  next = await createCa('next', systemClock.nowMs());
  pair = await signCertificate(next, { commonName: 'kube-apiserver', ips: ['127.0.0.1'], usages: ['server'] }, systemClock.nowMs());
});
afterAll(() => server.stop());

function shownIssuer(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = dial({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('a pair that is none is refused, and the old one goes on', async () => {
  expect(() => server.renew({ tls: { cert: pair.cert, key: next.key }, authentication: trusting(next), kubelet })).toThrow();
  expect(await shownIssuer()).toBe('kubernetes');
});

test('new connections see the new certificate and its authority’s clients; open ones go on', async () => {
  await using open = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await open.get(namespace, { name: 'default' }, signal);
  server.renew({ tls: pair, authentication: trusting(next), kubelet });
  expect(await shownIssuer()).toBe('next');
  await open.get(namespace, { name: 'default' }, signal);

  const client = await signCertificate(
    next,
    { commonName: 'a', organizations: ['system:masters'], usages: ['client'] },
    systemClock.nowMs(),
  );
  const endpoint = { server: server.url, ca: next.cert, credentials: { kind: 'certificate', ...client } } as const;
  await using fresh = connect(endpoint, { clock: systemClock, component: 'test' });
  expect((await fresh.get(namespace, { name: 'default' }, signal)).metadata.name).toBe('default');
});
