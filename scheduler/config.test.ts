import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { parseConfig } from './config.ts';

let folder: string;
let kubeconfig: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scheduler-config-'));
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    kubeconfigText({ name: 'c', server: 'https://h:1', ca: 'CA', credentials: { kind: 'certificate', cert: 'CERT', key: 'KEY' } }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (...argv: string[]) => parseConfig([`--kubeconfig=${kubeconfig}`, ...argv], {});

describe('the command line', () => {
  test('has upstream’s defaults', () => {
    expect(parse()).toEqual({
      flags: expect.objectContaining({ 'secure-port': '10259', 'leader-elect-lease-duration': '15s' }) as object,
      hasProfiles: true,
      api: {
        server: 'https://h:1',
        ca: 'CA',
        credentials: { kind: 'certificate', cert: 'CERT', key: 'KEY' },
      },
      host: '0.0.0.0',
      port: 10_259,
      tls: undefined,
      visitors: expect.objectContaining({ authorizationKubeconfig: '', openPaths: ['/healthz', '/readyz', '/livez'] }),
      leader: { namespace: 'kube-system', name: 'kube-scheduler', leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      maxUnschedulableMs: 300_000,
    });
  });

  test('takes what kubeadm gives', () => {
    const config = parse(
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      '--leader-elect=false',
      '-v=2',
    );
    expect([config.host, config.leader]).toEqual(['127.0.0.1', undefined]);
  });

  test.each([
    { argv: ['--config=/etc/scheduler.yaml'], says: '--config is not supported' },
    { argv: ['--leader-elect-resource-lock=endpoints'], says: 'only leases' },
    { argv: ['--leader-elect-lease-duration=10s'], says: 'must be greater' },
    { argv: ['--leader-elect-retry-period=9s'], says: 'must be greater' },
    { argv: ['--tls-cert-file=/x'], says: 'must be given together' },
    { argv: ['--tls-cert-file=/x', '--tls-private-key-file=/y'], says: '--tls-cert-file: ENOENT' },
    { argv: ['--no-such-flag'], says: 'unknown flag' },
    { argv: ['something'], says: 'unknown argument' },
  ])('refuses: $says', ({ argv, says }) => {
    expect(() => parse(...argv)).toThrow(says);
  });
});
