import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from './config.ts';
import { flagsOfText } from './config-file.ts';
import { configurationOf } from './server/configuration.ts';

let folder: string;
let base: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubelet-config-'));
  const text = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ name: 'u', user: { token: 't' } }],
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(text));
  base = [`--kubeconfig=${join(folder, 'kubeconfig')}`];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('defaults', () => {
  expect(parseConfig(base, 'Host-1')).toMatchObject({
    nodeName: 'host-1',
    rootDir: '/var/lib/kubelet',
    clusterDomain: 'cluster.local',
    dockerSocket: '/var/run/docker.sock',
    maxPods: 110,
    register: true,
    server: { port: 10_250 },
    health: { host: '127.0.0.1', port: 10_248 },
    reserved: { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, processes: 0 },
  });
});

test('what is given', () => {
  const argv = ['--node-labels=a=b,node-role.kubernetes.io/control-plane=', '--register-with-taints=k=v:NoSchedule,x:NoExecute'];
  const more = [
    '--node-ip',
    '10.0.0.1',
    '--cluster-dns=10.96.0.10',
    '--system-reserved=cpu=100m,memory=64Mi,pid=1k',
    '--kube-reserved=cpu=1,pid=200,ephemeral-storage=1Gi',
  ];
  expect(parseConfig([...base, ...argv, ...more], 'h')).toMatchObject({
    labels: { a: 'b', 'node-role.kubernetes.io/control-plane': '' },
    taints: [
      { key: 'k', value: 'v', effect: 'NoSchedule' },
      { key: 'x', effect: 'NoExecute' },
    ],
    nodeIps: ['10.0.0.1'],
    cloud: { isExternal: false, hasGivenIps: true, providerId: '' },
    clusterDns: ['10.96.0.10'],
    reserved: { cpuMillis: 1_100, memoryBytes: 64 * 2 ** 20, diskBytes: 2 ** 30, processes: 1_200 },
  });
});

test.each([
  ['--container-runtime-endpoint=tcp://x', 'must be unix:///path'],
  ['--register-with-taints=bad', 'is not of the form key=value:effect'],
  ['--kube-reserved=gpu=1', '--kube-reserved value failed to parse: cannot reserve "gpu" resource'],
  ['--system-reserved=cpu=-1', 'resource quantity for "cpu" cannot be negative: -1'],
  ['--system-reserved=memory=much', '--system-reserved value failed to parse: "much" is no quantity of memory'],
  ['--cgroup-driver=upstart', 'must be cgroupfs or systemd'],
  ['--container-log-max-size=many', 'invalid value "many" for --container-log-max-size'],
  ['--max-parallel-image-pulls=2', 'must not be larger than 1 unless serializeImagePulls is set to false'],
  ['--cloud-provider=plain', 'Please set --cloud-provider=external'],
  ['--nope', 'unknown flag: --nope'],
  ['stray', 'unexpected argument "stray"'],
])('%s is refused', (flag, message) => expect(() => parseConfig([...base, flag], 'h')).toThrow(message));

test('without a kubeconfig there is no cluster, and nobody can be let in', () => {
  expect(parseConfig(base, 'h').isStandalone).toBe(false);
  expect(parseConfig([], 'h').isStandalone).toBe(true);
  expect(() => parseConfig(['--client-ca-file=/ca'], 'h')).toThrow('no client provided, cannot use webhook authentication');
  expect(parseConfig(['--client-ca-file=/ca', '--enable-server=false'], 'h').server.clientCaFile).toBe('');
  const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nauthorization: {mode: AlwaysAllow}\n';
  expect(() => flagsOfText(head)).toThrow('AlwaysAllow is not supported');
  expect(flagsOfText(`${head}enableServer: false\n`)).toEqual({ 'enable-server': 'false' });
});

describe('static pods', () => {
  const said = (text: string, ...argv: string[]) => {
    const path = join(folder, 'static.yaml');
    writeFileSync(path, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${text}`);
    return parseConfig([...base, `--config=${path}`, ...argv], 'h').staticPods;
  };
  test('come from nowhere by default', () =>
    expect(said('')).toMatchObject({ path: '', url: '', fileCheckMs: 20_000, pageCheckMs: 20_000 }));
  test('come from a folder and a page', () => {
    const text =
      'staticPodPath: /m\nfileCheckFrequency: 5s\nstaticPodURL: http://h/p\nhttpCheckFrequency: 1m\nstaticPodURLHeader:\n  A: [b, c]\n  D: [e]\n';
    const expected = { path: '/m', fileCheckMs: 5_000, url: 'http://h/p', pageCheckMs: 60_000, headers: { A: ['b', 'c'], D: ['e'] } };
    expect(said(text)).toEqual(expected);
    expect(said(text, '--pod-manifest-path=/n')).toMatchObject({ path: '/n' });
  });
  test('are left to who runs them as processes, where told so', () => {
    const isOthers = (argv: string[], command: string) =>
      said('staticPodPath: /m', ...argv).isOthers?.({ metadata: {}, spec: { containers: [{ name: 'c', command: [command] }] } });
    expect([isOthers(['--host-components'], 'etcd'), isOthers(['--host-components'], 'sh'), isOthers([], 'etcd')]).toEqual([
      true,
      false,
      undefined,
    ]);
  });
  test('headers are pairs', () => expect(() => said('', '--manifest-url-header=a')).toThrow('is not of the form name:value'));
});

test('a configuration file says what flags do not', () => {
  const path = join(folder, 'config.yaml');
  writeFileSync(
    path,
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDNS: [10.96.0.10, 10.96.0.11]\nmaxPods: 7\nport: 11250\nsystemReserved:\n  cpu: 100m\nauthentication:\n  x509:\n    clientCAFile: /ca.crt\nregisterWithTaints:\n- key: k\n  effect: NoSchedule\nstreamingConnectionIdleTimeout: 1m\n',
  );
  expect(parseConfig([...base, `--config=${path}`, '--max-pods=9', '--cluster-dns=10.0.0.1'], 'h')).toMatchObject({
    clusterDns: ['10.0.0.1'],
    maxPods: 9,
    server: { port: 11_250, clientCaFile: '/ca.crt' },
    reserved: { cpuMillis: 100 },
    taints: [{ key: 'k', effect: 'NoSchedule' }],
    streamIdleMs: 60_000,
  });
});

test.each([
  ['kind: Other', 'it must be a KubeletConfiguration of kubelet.config.k8s.io/v1beta1'],
  ['maxPod: 3', 'unknown field "maxPod"'],
  ['maxPods: many', 'maxPods: must be a number'],
  ['authentication: {anonymous: {enabled: true}}', 'anonymous requests are never served'],
  ['cgroupDriver: upstart', 'for --cgroup-driver: must be cgroupfs or systemd'],
])('a file that says %j is refused', (text, message) => {
  const path = join(folder, 'bad.yaml');
  writeFileSync(
    path,
    `apiVersion: kubelet.config.k8s.io/v1beta1\n${text.startsWith('kind') ? '' : 'kind: KubeletConfiguration\n'}${text}\n`,
  );
  expect(() => parseConfig([...base, `--config=${path}`], 'h')).toThrow(message);
});

test('pulls, profiles and logs', () => {
  const { parallelPulls, seccompDefault, logLimits } = parseConfig([], 'n');
  expect({ parallelPulls, seccompDefault, logLimits }).toEqual({
    parallelPulls: 1,
    seccompDefault: false,
    logLimits: { maxBytes: 10_485_760, maxFiles: 5 },
  });
  const flags = ['--serialize-image-pulls=false', '--seccomp-default', '--container-log-max-size=1Mi', '--container-log-max-files=3'];
  expect(parseConfig(flags, 'n')).toMatchObject({
    parallelPulls: Number.POSITIVE_INFINITY,
    seccompDefault: true,
    logLimits: { maxBytes: 1_048_576, maxFiles: 3 },
  });
  expect(parseConfig(['--serialize-image-pulls=false', '--max-parallel-image-pulls=4'], 'n').parallelPulls).toBe(4);
});

describe('image garbage collection', () => {
  test('has the defaults of upstream, and takes what a file says', () => {
    expect(parseConfig([], 'n').imageGc).toEqual({ highPercent: 85, lowPercent: 80, minAgeMs: 120_000, maxAgeMs: 0 });
    const file = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
    const flags = flagsOfText(`${file}imageGCHighThresholdPercent: 70\nimageGCLowThresholdPercent: 60\nimageMinimumGCAge: 5m\n`);
    expect(flags).toEqual({ 'image-gc-high-threshold': '70', 'image-gc-low-threshold': '60', 'minimum-image-ttl-duration': '5m' });
  });

  test('must end below where it begins', () => {
    expect(() => parseConfig(['--image-gc-high-threshold=80', '--image-gc-low-threshold=80'], 'n')).toThrow(
      'imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 80',
    );
  });
});

describe('eviction', () => {
  const of = (...argv: string[]) => parseConfig([...base, ...argv], 'n').eviction;
  const names = (found: ReturnType<typeof of>) => found.thresholds.map(({ signal, graceMs }) => [signal, graceMs]);

  test('defaults', () => {
    expect(of()).toMatchObject({ transitionMs: 300_000, maxPodGraceSeconds: 0 });
    expect(names(of()).map(([signal]) => signal)).toEqual([
      'memory.available',
      'nodefs.available',
      'nodefs.inodesFree',
      'imagefs.available',
      'imagefs.inodesFree',
      'allocatableMemory.available',
    ]);
  });

  test('what is given takes the place of all defaults', () => {
    const given = of(
      '--eviction-hard=memory.available<1Gi,pid.available<10%',
      '--eviction-soft=memory.available<2Gi',
      '--eviction-soft-grace-period=memory.available=30s',
      '--eviction-max-pod-grace-period=20',
      '--eviction-pressure-transition-period=1m',
    );
    expect(given).toMatchObject({ transitionMs: 60_000, maxPodGraceSeconds: 20 });
    expect(names(given)).toEqual([
      ['memory.available', 0],
      ['pid.available', 0],
      ['memory.available', 30_000],
      ['allocatableMemory.available', 0],
    ]);
    expect(names(of('--eviction-hard=')).length).toBe(0);
  });

  test.each([
    ['--eviction-soft=memory.available<2Gi', 'grace period must be specified for the soft eviction threshold memory.available'],
    ['--eviction-hard=memory.available', 'malformed pair, expect string<string'],
    ['--eviction-hard=x<1', 'unsupported eviction signal x'],
  ])('%s', (flag, message) => expect(() => of(flag)).toThrow(message));

  test('from a file, over the defaults where it asks for that', () => {
    const file = (fields: string): Readonly<Record<string, string>> =>
      flagsOfText(`apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${fields}`);
    expect(file('evictionHard: {memory.available: 1Gi}\nevictionPressureTransitionPeriod: 0s')).toEqual({
      'eviction-hard': 'memory.available<1Gi',
    });
    expect(file('evictionHard: {}')).toEqual({ 'eviction-hard': '' });
    expect(file('evictionHard: {memory.available: 1Gi}\nmergeDefaultEvictionSettings: true')['eviction-hard']).toBe(
      'memory.available<1Gi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<15%,imagefs.inodesFree<5%',
    );
    expect(
      file('evictionSoft: {nodefs.available: 20%}\nevictionSoftGracePeriod: {nodefs.available: 2m}\nevictionMaxPodGracePeriod: 9'),
    ).toEqual({
      'eviction-soft': 'nodefs.available<20%',
      'eviction-soft-grace-period': 'nodefs.available=2m',
      'eviction-max-pod-grace-period': '9',
    });
  });
});

describe('garbage', () => {
  const fromFile = (fields: string) => {
    const path = join(folder, 'config.yaml');
    writeFileSync(path, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${fields}`);
    return parseConfig([...base, `--config=${path}`], 'n');
  };
  test('ages of images', () => {
    expect(fromFile('imageMaximumGCAge: 24h\nimageMinimumGCAge: 1m').imageGc).toMatchObject({ maxAgeMs: 24 * 3_600_000, minAgeMs: 60_000 });
    expect(() => fromFile('imageMaximumGCAge: 1m')).toThrow(
      'invalid configuration: imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s',
    );
    expect(() => fromFile('imageMaximumGCAge: -1m')).toThrow('invalid configuration: imageMaximumGCAge -1m0s must not be negative');
    expect(() => parseConfig([...base, '--image-maximum-gc-age=1h'], 'n')).toThrow('unknown flag');
  });
  test('ends of containers', () => {
    expect(parseConfig(base, 'n').keptEnds).toEqual({ perContainer: 1, minAgeMs: 0 });
    const argv = ['--maximum-dead-containers-per-container=3', '--minimum-container-ttl-duration=1m'];
    expect(parseConfig([...base, ...argv], 'n').keptEnds).toEqual({ perContainer: 3, minAgeMs: 60_000 });
  });
});

test('delays of restarts double up to five minutes, or to less', () => {
  expect(parseConfig(base, 'n').longestRestartDelayMs).toBe(300_000);
  const path = join(folder, 'crashing.yaml');
  const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
  writeFileSync(path, `${head}crashLoopBackOff: {maxContainerRestartPeriod: 15s}\n`);
  expect(parseConfig([...base, `--config=${path}`], 'n').longestRestartDelayMs).toBe(15_000);
});

test('/configz tells what is in force', () => {
  const flags = ['--eviction-soft=memory.available<7%', '--eviction-soft-grace-period=memory.available=90s', '--max-pods=30'];
  flags.push('--file-check-frequency=30s', '--kube-reserved=pid=100', '--kube-api-qps=7', '--feature-gates=NodeSwap=true');
  expect(configurationOf(parseConfig([...base, ...flags], 'n'))).toMatchObject({
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    maxPods: 30,
    fileCheckFrequency: '30s',
    kubeReserved: { pid: '100' },
    kubeAPIQPS: 7,
    syncFrequency: '1m0s',
    featureGates: { NodeSwap: true },
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
      'imagefs.available': '15%',
      'imagefs.inodesFree': '5%',
    },
    evictionSoft: { 'memory.available': '7%' },
    evictionSoftGracePeriod: { 'memory.available': '1m30s' },
    evictionPressureTransitionPeriod: '5m0s',
    authentication: { anonymous: { enabled: false } },
  });
});
