import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { keptServerCertificate, ownServerCertificate } from './own-certificate.ts';

const root = mkdtempSync(join(tmpdir(), 'own-certificate-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const nowMs = Date.UTC(2026, 0, 1);

it('makes a certificate, followed by its authority, for all names', async () => {
  const { cert } = await ownServerCertificate('n1', nowMs, { dnsNames: ['kubernetes', 'n1'], ips: ['10.0.0.1'] });
  const [leaf, authority] = cert.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
  expect(leaf?.subjectAltName).toBe('DNS:n1, DNS:kubernetes, IP Address:10.0.0.1');
  expect(authority?.ca).toBe(true);
  expect(leaf?.checkIssued(authority as X509Certificate)).toBe(true);
});

it('keeps it in a folder, and refuses half of a pair', async () => {
  const place = { folder: join(root, 'a/b'), name: 'apiserver' };
  const make = () => ownServerCertificate('n1', nowMs);
  const first = await keptServerCertificate(place, make);
  expect(first.isNew).toBe(true);
  expect(await keptServerCertificate(place, make)).toEqual({ ...first, isNew: false });
  expect(statSync(join(place.folder, 'apiserver.key')).mode & 0o777).toBe(0o600);
  unlinkSync(join(place.folder, 'apiserver.key'));
  await expect(keptServerCertificate(place, make)).rejects.toThrow('apiserver.key, certificate and key must be supplied as a pair');
});
