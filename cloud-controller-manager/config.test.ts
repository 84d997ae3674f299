import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CloudConfig, parseConfig } from './config.ts';

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:6443'}}]
users: [{name: u, user: {token: t}}]
`;
let folder: string;
const parse = (...argv: string[]): CloudConfig => parseConfig([`--kubeconfig=${join(folder, 'config')}`, ...argv], {});
const plain = ['--cloud-provider=plain', '--cloud-config=/etc/kubernetes/cloud.yaml'];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloud-'));
  writeFileSync(join(folder, 'config'), kubeconfig);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('upstream’s defaults', () => {
  expect(parse(...plain)).toMatchObject({
    cloudConfig: '/etc/kubernetes/cloud.yaml',
    port: 10_258,
    leader: { namespace: 'kube-system', name: 'cloud-controller-manager', leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
    usesAccounts: false,
    selection: ['*'],
    nodeUpdateMs: 300_000,
    nodePeriodMs: 5_000,
    nodeWorkers: 1,
  });
});

test('what is given', () => {
  const flags = ['--leader-elect=false', '--controllers=*,-cloud-node', '--node-monitor-period=1s', '--secure-port=0'];
  expect(parse(...plain, ...flags)).toMatchObject({ leader: undefined, selection: ['*', '-cloud-node'], nodePeriodMs: 1_000, port: 0 });
});

test.each<[flags: string[], why: string]>([
  [[], '--cloud-provider cannot be empty'],
  [['--cloud-provider=aws'], 'unknown cloud provider "aws": there is plain'],
  [['--cloud-provider=plain'], '--cloud-provider=plain needs --cloud-config'],
  [[...plain, 'stray'], 'unexpected argument "stray"'],
])('%j is refused', (flags, why) => {
  expect(() => parse(...flags)).toThrow(why);
});
