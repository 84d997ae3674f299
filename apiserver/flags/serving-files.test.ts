import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { certificateFiles, parseConfig, prepareServing } from '../config.ts';

const root = mkdtempSync(join(tmpdir(), 'serving-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const deps = { nowMs: Date.UTC(2026, 0, 1), log: silentLog };

test('a server without a certificate makes one in --cert-dir, for all its names, and keeps it', async () => {
  const argv = ['--data-dir=/nowhere', `--cert-dir=${root}`, '--advertise-address=192.0.2.1', '--service-cluster-ip-range=10.7.0.0/16'];
  expect(() => parseConfig(argv)).toThrow('apiserver.crt');
  await prepareServing(argv, deps);
  const { tls } = parseConfig(argv);
  expect(new X509Certificate(tls.cert).subjectAltName).toBe(
    'DNS:kubernetes.default.svc, DNS:kubernetes.default, DNS:kubernetes, DNS:localhost, IP Address:192.0.2.1, IP Address:10.7.0.1',
  );
  await prepareServing(argv, deps);
  expect(parseConfig(argv).tls).toEqual(tls);
  expect(certificateFiles(argv)).toEqual([join(root, 'apiserver.crt'), join(root, 'apiserver.key')]);
});

test('half of a pair is refused', () => {
  const half = ['--data-dir=/nowhere', '--tls-cert-file=/dev/null', '--advertise-address=192.0.2.1'];
  expect(() => parseConfig(half)).toThrow('--tls-cert-file and --tls-private-key-file must be given together');
});
