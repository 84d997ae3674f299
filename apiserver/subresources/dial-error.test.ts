import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { dialErrorText } from './dial-error.ts';

const trusted = await createCa('kubernetes', systemClock.nowMs());
const other = await createCa('kubernetes', systemClock.nowMs());

/** Why nobody gets through to a server with such a certificate. */
async function problemWith(
  ca: KeyPair,
  names: { readonly dnsNames?: readonly string[]; readonly ips?: readonly string[] },
  servername?: string,
  nowMs = systemClock.nowMs(),
): Promise<string> {
  const tls = await signCertificate(ca, { commonName: 'node', usages: ['server'], ...names }, nowMs);
  const server = createServer({ key: tls.key, cert: tls.cert });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ca: trusted.cert, ...(servername === undefined ? {} : { servername }) });
  const [error] = (await once(socket, 'error').catch((failure: unknown) => [failure])) as [NodeJS.ErrnoException];
  socket.destroy();
  server.close();
  return dialErrorText(error);
}

const start = 'tls: failed to verify certificate: x509: ';
const yearMs = 366 * 24 * 60 * 60 * 1_000;

test.each<[string, () => Promise<string>, string]>([
  ['signed by somebody else', () => problemWith(other, { ips: ['127.0.0.1'] }), 'certificate signed by unknown authority'],
  [
    'out of date',
    () => problemWith(trusted, { ips: ['127.0.0.1'] }, undefined, systemClock.nowMs() - 2 * yearMs),
    'certificate has expired or is not yet valid',
  ],
  [
    'for other addresses',
    () => problemWith(trusted, { ips: ['10.0.0.1', '10.0.0.2'] }),
    'certificate is valid for 10.0.0.1, 10.0.0.2, not 127.0.0.1',
  ],
  [
    'for names alone',
    () => problemWith(trusted, { dnsNames: ['a', 'b'] }),
    "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
  ],
  ['for other names', () => problemWith(trusted, { dnsNames: ['a', 'b'] }, 'c'), 'certificate is valid for a, b, not c'],
  [
    'for addresses alone',
    () => problemWith(trusted, { ips: ['127.0.0.1'] }, 'c'),
    'certificate is not valid for any names, but wanted to match c',
  ],
])('a certificate %s', async (_name, problem, expected) => {
  expect(await problem()).toBe(`${start}${expected}`);
});
