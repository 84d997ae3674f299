import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { version } from '#base/version.ts';
import { type Command, group, runCommand } from '../command.ts';
import { recordedHost } from '../testing.ts';
import { versionCommand } from '../version-command.ts';
import { configCommand } from './commands.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeadm-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function kubeadm(root: Command, ...words: readonly string[]): Promise<string> {
  const host = recordedHost();
  await runCommand(root, words, host);
  return host.printed.join('');
}
const config = (...words: readonly string[]): Promise<string> => kubeadm(configCommand, ...words);
function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('kubeadm config', () => {
  test.each(['reset-defaults', 'upgrade-defaults', 'join-defaults'])('print %s can be used', async (name) => {
    const text = await config('print', name);
    expect(parse(text)).toMatchObject({ timeouts: { tlsBootstrap: '5m0s', upgradeManifests: '5m0s' } });
    expect(await config('validate', '--config', write(`${name}.yaml`, text))).toBe('ok\n');
  });

  test('print init-defaults has what hosts and clusters are told, and the kubelets’ part on demand', async () => {
    const kinds = async (...words: readonly string[]): Promise<unknown[]> =>
      parseAllDocuments(await config('print', 'init-defaults', ...words)).map((document) => document.get('kind'));
    expect(await kinds()).toEqual(['InitConfiguration', 'ClusterConfiguration']);
    expect(await kinds('--component-configs', 'KubeletConfiguration')).toEqual([
      'InitConfiguration',
      'ClusterConfiguration',
      'KubeletConfiguration',
    ]);
    await expect(kinds('--component-configs', 'KubeProxyConfiguration')).rejects.toThrow('only KubeletConfiguration is');
  });

  test.each<[string, string, string]>([
    ['a cluster', 'kind: ClusterConfiguration\nnetworking: {podSubnet: x}\n', 'networking.podSubnet: Invalid value: "x"'],
    ['a joining host', 'kind: JoinConfiguration\ndiscovery: {}\n', 'bootstrapToken or file must be set'],
    ['a leaving host', 'kind: ResetConfiguration\nforce: 1\n', 'ResetConfiguration is invalid'],
    ['an upgrade', 'kind: UpgradeConfiguration\napply: {kubernetesVersion: new}\n', 'version "new" doesn\'t match patterns'],
  ])('validate refuses a wrong document of %s', async (_name, text, message) => {
    const path = write('wrong.yaml', `apiVersion: kubeadm.k8s.io/v1beta4\n${text}`);
    await expect(config('validate', '--config', path)).rejects.toThrow(message);
  });

  test('migrate brings v1beta3 up, with what moved elsewhere', async () => {
    const path = write(
      'old.yaml',
      `apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
apiServer: {timeoutForControlPlane: 3m, extraArgs: {v: 4, audit-log-path: /a}}
etcd: {local: {dataDir: /e, extraArgs: {quota-backend-bytes: "1"}}}
---
apiVersion: kubeadm.k8s.io/v1beta3
kind: InitConfiguration
nodeRegistration: {kubeletExtraArgs: {max-pods: "50"}}
---
apiVersion: kubeadm.k8s.io/v1beta3
kind: JoinConfiguration
discovery: {timeout: 90s, bootstrapToken: {token: abcdef.0123456789abcdef, apiServerEndpoint: "lb:6443", unsafeSkipCAVerification: true}}
`,
    );
    await expect(config('validate', '--config', path)).rejects.toThrow(`kubeadm config migrate --old-config ${path}`);
    const to = join(folder, 'new.yaml');
    expect(await config('migrate', '--old-config', path, '--new-config', to)).toBe('');
    expect(await config('validate', '--config', to)).toBe('ok\n');
    const [cluster, init, joining] = parseAllDocuments(readFileSync(to, 'utf8')).map((document) => document.toJS() as object);
    expect(cluster).toMatchObject({
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      apiServer: {
        extraArgs: [
          { name: 'audit-log-path', value: '/a' },
          { name: 'v', value: '4' },
        ],
      },
      etcd: { local: { dataDir: '/e', extraArgs: [{ name: 'quota-backend-bytes', value: '1' }] } },
      clusterName: 'kubernetes',
    });
    expect(cluster).not.toHaveProperty('apiServer.timeoutForControlPlane');
    expect(init).toMatchObject({
      nodeRegistration: { kubeletExtraArgs: [{ name: 'max-pods', value: '50' }] },
      timeouts: { controlPlaneComponentHealthCheck: '3m' },
    });
    expect(joining).toMatchObject({ timeouts: { controlPlaneComponentHealthCheck: '3m', discovery: '90s' } });
    expect(joining).not.toHaveProperty('discovery.timeout');
  });

  test('migrate guesses at nothing where a file is broken', async () => {
    const path = write('broken.yaml', 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nclusterName: "a\n  b: 1\n');
    await expect(config('migrate', '--old-config', path)).rejects.toThrow(`${path} cannot be read: Missing closing "quote`);
  });

  test('migrate leaves what is new as it is, and refuses what is too old', async () => {
    const path = write('now.yaml', 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ncaCertPath: /ca\n');
    expect(parse(await config('migrate', '--old-config', path))).toEqual({
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'JoinConfiguration',
      caCertPath: '/ca',
    });
    await expect(
      config('migrate', '--old-config', write('older.yaml', 'apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\n')),
    ).rejects.toThrow('of an older kubeadm');
  });

  test('images are those that manifests name, of the registry and version that are asked for', async () => {
    const path = write(
      'e.yaml',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nimageRepository: r.example/k\netcd: {external: {endpoints: [http://e:2379]}}\n',
    );
    const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coxswain-dns'];
    const images = names.map((name) => `r.example/k/${name}:${version.replace(/\+.*$/, '')}`);
    expect(await config('images', 'list', '--config', path)).toBe(images.map((image) => `${image}\n`).join(''));
    expect(JSON.parse(await config('images', 'list', '--config', path, '-o', 'json'))).toEqual({
      kind: 'Images',
      apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
      images,
    });
  });
});

describe('kubeadm version', () => {
  const say = (...words: readonly string[]): Promise<string> => kubeadm(group('kubeadm', '', [versionCommand]), 'version', ...words);

  test('in every form', async () => {
    expect(await say('-o', 'short')).toBe(`${version}\n`);
    const { clientVersion } = JSON.parse(await say('-o', 'json')) as { clientVersion: Record<string, string> };
    expect(clientVersion).toMatchObject({
      major: '1',
      minor: '36',
      gitVersion: version,
      platform: expect.stringMatching(/^linux\/(amd64|arm64)$/) as string,
    });
    expect(parse(await say('-o', 'yaml'))).toEqual({ clientVersion });
    expect(await say()).toMatch(/^kubeadm version: &version\.Info\{Major:"1", Minor:"36", GitVersion:"v1\.36\./);
    await expect(say('-o', 'xml')).rejects.toThrow('invalid output format: xml');
  });
});
