import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Credentials } from '#client/endpoint.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { certificates } from '#kubeadm/certs/certificates.ts';
import { defaultCluster } from '#kubeadm/config/cluster.ts';
import { foldersAt } from '#kubeadm/folders.ts';
import { apiServerPod } from '#kubeadm/manifests/components.ts';
import { commandDigest } from '../supervisor/process-table.ts';
import { componentOf, type HostFolders, hostRevision, readHostComponents } from './host-components.ts';

let folder: string;
let folders: HostFolders;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-components-'));
  folders = { manifests: join(folder, 'manifests'), kubernetes: folder, kubelet: join(folder, 'kubelet') };
  mkdirSync(folders.manifests);
  mkdirSync(folders.kubelet);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function manifest(name: string, ...command: readonly string[]): void {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name, command }] } };
  writeFileSync(join(folders.manifests, `${name}.yaml`), JSON.stringify(pod));
}

describe('what a host runs', () => {
  test('is what the manifests say, etcd and the API server first, and the kubelet where it is configured', () => {
    manifest('kube-scheduler', 'kube-scheduler', '--leader-elect=true');
    manifest('kube-apiserver', 'kube-apiserver', '--secure-port=6443');
    manifest('etcd', 'etcd', '--name=a');
    writeFileSync(join(folders.manifests, '.hidden.yaml'), 'not: a pod');
    expect(readHostComponents(folders, '/dist').components.map(({ name }) => name)).toEqual(['etcd', 'kube-apiserver', 'kube-scheduler']);
    writeFileSync(join(folders.kubelet, 'config.yaml'), 'kind: KubeletConfiguration');
    writeFileSync(join(folders.kubelet, 'kubeadm-flags.env'), 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 --hostname-override=a"\n');
    const { components } = readHostComponents(folders, '/dist');
    expect(components[0]).toMatchObject({ name: 'etcd', program: 'etcd', argv: ['--name=a'] });
    expect(components[1]?.argv.slice(-2)).toEqual(['/dist/kube-apiserver.js', '--secure-port=6443']);
    expect(components[3]?.argv.slice(-6)).toEqual([
      `--bootstrap-kubeconfig=${folder}/bootstrap-kubelet.conf`,
      `--kubeconfig=${folder}/kubelet.conf`,
      `--config=${folder}/kubelet/config.yaml`,
      '--host-components',
      '--node-ip=10.0.0.1',
      '--hostname-override=a',
    ]);
  });

  test('a broken manifest is said, and what it said before goes on', () => {
    manifest('etcd', 'etcd', '--name=a');
    const { components } = readHostComponents(folders, '/dist');
    writeFileSync(join(folders.manifests, 'etcd.yaml'), 'kind: [');
    const broken = readHostComponents(folders, '/dist', components);
    expect(broken.components).toEqual(components);
    expect(broken.problems).toHaveLength(1);
    expect(broken.problems[0]).toMatch(/etcd\.yaml: /);
  });

  test('what is no Pod is refused', () => expect(() => componentOf('kind: Service', '/dist')).toThrow('not a Pod'));

  test.each([
    ['no container', 'spec: {containers: []}'],
    ['another program', 'spec: {containers: [{name: a, command: [sh, -c, x]}]}'],
    ['a component and something else', 'spec: {containers: [{name: a, command: [etcd]}, {name: b, command: [sh]}]}'],
    ['what comes before', 'spec: {initContainers: [{name: b}], containers: [{name: a, command: [etcd]}]}'],
  ])('a pod with %s is left to the kubelet', (_, spec) => {
    writeFileSync(join(folders.manifests, 'a.yaml'), `kind: Pod\nmetadata: {name: a}\n${spec}`);
    expect(readHostComponents(folders, '/dist')).toEqual({ components: [], problems: [] });
  });
});

test('the revision changes with manifests and kubeconfigs, not with certificates', () => {
  manifest('etcd', 'etcd', '--name=a');
  const before = hostRevision(folders);
  writeFileSync(join(folder, 'ca.crt'), 'x');
  expect(hostRevision(folders)).toBe(before);
  writeFileSync(join(folder, 'scheduler.conf'), 'x');
  expect(hostRevision(folders)).not.toBe(before);
});

test('new certificates are no reason to replace who reads them again, other keys and kubeconfigs are', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const [cert, key, conf] = [file('tls.crt', '1'), file('sa.key', '1'), file('a.conf', '1')];
  manifest('kube-apiserver', 'kube-apiserver', `--tls-cert-file=${cert}`, `--service-account-signing-key-file=${key}`);
  manifest('kube-scheduler', 'kube-scheduler', `--kubeconfig=${conf}`);
  const digests = (): readonly string[] => readHostComponents(folders, '/dist').components.map(commandDigest);
  const [server, scheduler] = digests();
  file('tls.crt', '2');
  expect(digests()).toEqual([server, scheduler]);
  file('sa.key', '2');
  file('a.conf', '2');
  const [serverNow, schedulerNow] = digests();
  expect([serverNow === server, schedulerNow === scheduler]).toEqual([false, false]);
});

test('no certificate that kubeadm renews is a reason to replace the API server of its manifest', () => {
  const config = {
    cluster: defaultCluster,
    local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
  };
  const { command } = apiServerPod(config, foldersAt(folder));
  manifest('kube-apiserver', ...command);
  const digest = (): readonly string[] => readHostComponents(folders, '/dist').components.map(commandDigest);
  mkdirSync(join(folder, 'etcd'));
  const renew = (round: string): void => {
    for (const { baseName } of certificates) {
      for (const kind of ['crt', 'key']) writeFileSync(join(folder, `${baseName}.${kind}`), round);
    }
  };
  renew('1');
  const before = digest();
  expect(command.filter((word) => word.includes(`${folder}/front-proxy-client.`))).toHaveLength(2);
  renew('2');
  expect(digest()).toEqual(before);
});

test('another image in a manifest is another version: its component is started anew', () => {
  const digest = (image: string): string | undefined => {
    const pod = { kind: 'Pod', spec: { containers: [{ name: 'etcd', image, command: ['etcd'] }] } };
    const component = componentOf(JSON.stringify(pod), '/dist');
    return component === undefined ? undefined : commandDigest(component);
  };
  expect(digest('etcd:3.4.23')).toBeDefined();
  expect(digest('etcd:3.4.23')).toBe(digest('etcd:3.4.23'));
  expect(digest('etcd:3.5.0')).not.toBe(digest('etcd:3.4.23'));
});

test.each([
  [1, undefined, '1'],
  [2, undefined, '1'],
  [3, undefined, '1'],
  [16, undefined, '8'],
  [16, '12', '12'],
])('etcd on a host of %i processors whose manifest says %s for GOMAXPROCS uses %s', (processors, said, used) => {
  const env = said === undefined ? [] : [{ name: 'GOMAXPROCS', value: said }];
  const pod = { kind: 'Pod', spec: { containers: [{ name: 'etcd', command: ['etcd'], env }] } };
  expect(componentOf(JSON.stringify(pod), '/dist', processors)?.env).toEqual({ GOMAXPROCS: used });
});

describe('a host that joins', () => {
  const server = 'https://10.0.0.9:6443';
  const conf = (file: string, credentials: Credentials, at = server): void =>
    writeFileSync(join(folder, file), kubeconfigText({ name: 'a', clusterName: 'a', userName: 'a', server: at, ca: 'ca', credentials }));
  const onDisk = { kind: 'certificate-files', certFile: '/pki/current.pem', keyFile: '/pki/current.pem' } as const;
  const kubelet = (): string => {
    const found = readHostComponents(folders, '/dist').components.find(({ name }) => name === 'kubelet');
    return found === undefined ? '' : commandDigest(found);
  };
  beforeEach(() => {
    writeFileSync(join(folders.kubelet, 'config.yaml'), 'kind: KubeletConfiguration');
    conf('bootstrap-kubelet.conf', { kind: 'token', token: 'a.b' });
  });

  test('keeps the kubelet that writes its kubeconfig itself', () => {
    const joining = kubelet();
    conf('kubelet.conf', onDisk);
    expect(kubelet()).toBe(joining);
    rmSync(join(folder, 'bootstrap-kubelet.conf'));
    expect(kubelet()).toBe(joining);
  });

  test('starts it anew for another cluster, and for another certificate inside of its kubeconfig', () => {
    const digests = [kubelet()];
    for (const [credentials, at] of [
      [onDisk, 'https://10.0.0.8:6443'],
      [{ kind: 'certificate', cert: '1', key: '1' }, server],
      [{ kind: 'certificate', cert: '2', key: '2' }, server],
    ] as const) {
      conf('kubelet.conf', credentials, at);
      digests.push(kubelet());
    }
    expect(new Set(digests).size).toBe(4);
  });

  test('starts what needs a kubeconfig once that is there', () => {
    manifest('kube-proxy', 'kube-proxy', `--kubeconfig=${join(folder, 'kubelet.conf')}`);
    const names = (): readonly string[] => readHostComponents(folders, '/dist').components.map(({ name }) => name);
    const before = hostRevision(folders);
    expect(names()).toEqual(['kubelet']);
    conf('kubelet.conf', onDisk);
    expect(hostRevision(folders)).not.toBe(before);
    expect(names()).toEqual(['kube-proxy', 'kubelet']);
  });
});
