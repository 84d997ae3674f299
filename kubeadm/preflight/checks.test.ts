import { describe, expect, test } from 'vitest';
import { defaultCluster, type ExternalEtcd, type InitConfiguration } from '../config/cluster.ts';
import { goodHost, recordedHost } from '../testing.ts';
import { type Check, type ControlPlaneOrder, initChecks, isPrivilegedUser, joinChecks } from './checks.ts';
import type { HostFacts } from './facts.ts';
import { portsIn, routesIn } from './host-facts.ts';
import { runChecks } from './run.ts';

const config: InitConfiguration = {
  cluster: { ...defaultCluster, networking: { ...defaultCluster.networking, podSubnet: '10.244.0.0/16' } },
  local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: 'unix:///var/run/docker.sock' } },
};
const checks: readonly Check[] = [isPrivilegedUser, ...initChecks(config, { manifests: '/etc/kubernetes/manifests' })];
const fileWith =
  (path: string, text: string | undefined): HostFacts['readText'] =>
  (asked) =>
    asked === path ? text : goodHost().readText(asked);

async function findings(facts: HostFacts, asked = checks): Promise<readonly string[]> {
  const found = await Promise.all(asked.map(async ({ name, look }) => ({ name, ...(await look(facts)) })));
  return found.flatMap(({ name, warnings = [], errors = [] }) => [
    ...warnings.map((line) => `WARNING ${name}: ${line}`),
    ...errors.map((line) => `ERROR ${name}: ${line}`),
  ]);
}

describe('what kubeadm init finds on a host', () => {
  test('nothing on a good one', async () => expect(await findings(goodHost())).toEqual([]));

  test.each<[string, Partial<HostFacts>, string[]]>([
    ['no root', { userId: 1000 }, ['ERROR IsPrivilegedUser: user is not running as root']],
    ['one CPU', { cpus: 1 }, ['ERROR NumCPU: the number of available CPUs 1 is less than the required 2']],
    ['little memory', { memoryMegabytes: 900 }, ['ERROR Mem: the system RAM (900 MB) is less than the minimum 1700 MB']],
    ['a taken port', { isPortFree: (port) => Promise.resolve(port !== 2_379) }, ['ERROR Port-2379: Port 2379 is in use']],
    [
      'node ports in use',
      { listeningPorts: () => [22, 30_080, 32_768] },
      ['WARNING NodePorts: ports of the node-port range 30000-32767 are in use: 30080'],
    ],
    [
      'an earlier control plane',
      { exists: (path) => path.endsWith('kube-apiserver.yaml') || path.endsWith('cgroup.controllers') },
      ['ERROR FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml: /etc/kubernetes/manifests/kube-apiserver.yaml already exists'],
    ],
    [
      'an earlier etcd',
      { isFilledFolder: (path) => path === '/var/lib/etcd' },
      ['ERROR DirAvailable--var-lib-etcd: /var/lib/etcd is not empty'],
    ],
    ['no etcd', { hasProgram: (name) => name !== 'etcd' }, ['ERROR FileExisting-etcd: etcd not found in system path']],
    ['no ethtool', { hasProgram: (name) => name !== 'ethtool' }, ['WARNING FileExisting-ethtool: ethtool not found in system path']],
    [
      'no forwarding',
      { readText: fileWith('/proc/sys/net/ipv4/ip_forward', '0\n') },
      ['ERROR FileContent--proc-sys-net-ipv4-ip_forward: /proc/sys/net/ipv4/ip_forward contents are not set to 1'],
    ],
    [
      'no br_netfilter',
      { readText: fileWith('/proc/sys/net/bridge/bridge-nf-call-iptables', undefined) },
      ['ERROR FileContent--proc-sys-net-bridge-bridge-nf-call-iptables: /proc/sys/net/bridge/bridge-nf-call-iptables does not exist'],
    ],
    [
      'swap',
      { readText: fileWith('/proc/swaps', 'Filename\n/dev/sda2 partition 1 0 -2\n') },
      [
        'WARNING Swap: swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap, or disable swap on the node',
      ],
    ],
    [
      'no Docker',
      { docker: () => Promise.reject(new Error('connect ENOENT')) },
      ['ERROR CRI: container runtime is not running: connect ENOENT'],
    ],
    [
      'a name that leads nowhere',
      { lookupProblem: () => Promise.resolve('getaddrinfo ENOTFOUND cp1') },
      ['WARNING Hostname: hostname "cp1" could not be reached', 'WARNING Hostname: hostname "cp1": getaddrinfo ENOTFOUND cp1'],
    ],
    [
      'a route into the pod network',
      { routes: () => [{ network: '10.244.8.0/24', device: 'tun0' }] },
      ['WARNING PodSubnet: the pod network 10.244.0.0/16 overlaps 10.244.8.0/24, which this host reaches by tun0'],
    ],
    ['the route to the pods of this node', { routes: () => [{ network: '10.244.0.0/24', device: 'coxswain0', protocol: 'kernel' }] }, []],
    ['the route to the pods of another node', { routes: () => [{ network: '10.244.1.0/24', device: 'eth0', protocol: '87' }] }, []],
    [
      'a proxy with exceptions for the networks only',
      { env: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '10.96.0.0/12,10.244.0.0/16' } },
      [
        'WARNING HTTPProxy: Connection to "https://192.168.1.5" uses proxy "http://proxy:3128". If that is not intended, adjust your proxy settings',
      ],
    ],
  ])('%s', async (_name, but, expected) => expect(await findings(goodHost(but))).toEqual(expected));

  test.each([
    ['cgroupfs', []],
    [undefined, []],
    [
      'systemd',
      [
        'ERROR CgroupDriver: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs": leave cgroupDriver out of the KubeletConfiguration, or set "exec-opts": ["native.cgroupdriver=systemd"] in /etc/docker/daemon.json and restart Docker',
      ],
    ],
  ])('cgroupDriver %s with an engine that has cgroupfs', async (wanted, expected) => {
    const told = { ...config, cluster: { ...config.cluster, kubelet: { cgroupDriver: wanted } } };
    expect(await findings(goodHost(), initChecks(told, { manifests: '/m' }))).toEqual(expected);
  });

  describe('an etcd of somebody else', () => {
    const tls = { caFile: '/e/ca.crt', certFile: '/e/client.crt', keyFile: '/e/client.key' };
    const external = { endpoints: ['https://e1:2379', 'https://e2:2379'], ...tls };
    const configWith = (etcd: ExternalEtcd): InitConfiguration => ({ ...config, cluster: { ...config.cluster, etcd: { external: etcd } } });
    const hasFiles = (path: string): boolean => path.startsWith('/e/') || goodHost().exists(path);
    const look = (but: Partial<HostFacts>, etcd: ExternalEtcd = external, order?: ControlPlaneOrder): Promise<readonly string[]> =>
      findings(goodHost({ exists: hasFiles, ...but }), initChecks(configWith(etcd), { manifests: '/m' }, order));

    test('is asked for its version by the files that lead to it, and its ports are nobody’s here', async () => {
      const asked: unknown[] = [];
      const etcdVersion: HostFacts['etcdVersion'] = (...all) => {
        asked.push(all);
        return Promise.resolve('3.4.23');
      };
      const noPorts = (port: number): Promise<boolean> => Promise.resolve(port !== 2_379 && port !== 2_380);
      expect(await look({ etcdVersion, isPortFree: noPorts, hasProgram: (name) => name !== 'etcd' })).toEqual([]);
      expect(asked).toEqual(external.endpoints.map((endpoint) => [endpoint, external]));
    });

    test('may answer HTTP elsewhere', async () => {
      const asked: string[] = [];
      await look(
        {
          etcdVersion: (endpoint) => {
            asked.push(endpoint);
            return Promise.resolve('3.6.0');
          },
        },
        { ...external, httpEndpoints: ['https://e1:2378'] },
      );
      expect(asked).toEqual(['https://e1:2378']);
    });

    test.each<[string, () => Promise<string>, string]>([
      [
        'too old',
        () => Promise.resolve('3.3.27'),
        'this version of kubeadm only supports external etcd version >= 3.4.0. Current version: 3.3.27',
      ],
      ['of a version that is none', () => Promise.resolve('three'), 'couldn\'t parse external etcd version "three"'],
      [
        'silent',
        () => Promise.reject(new Error('connect ECONNREFUSED')),
        'failed to get the version of etcd from https://e1:2379: connect ECONNREFUSED',
      ],
    ])('%s', async (_name, etcdVersion, line) => {
      const one = { ...external, endpoints: ['https://e1:2379'] };
      expect(await look({ etcdVersion }, one)).toEqual([`ERROR ExternalEtcdVersion: ${line}`]);
    });

    test('its files must be there, unless a joining control plane fetches them', async () => {
      const noKey = { exists: (path: string) => path !== tls.keyFile && hasFiles(path) };
      const missing = ["ERROR ExternalEtcdClientCertificates: /e/client.key doesn't exist"];
      expect(await look(noKey)).toEqual(missing);
      expect(await look(noKey, external, { place: 'further', downloadsCertificates: false })).toEqual(missing);
      expect(await look(noKey, external, { place: 'further', downloadsCertificates: true })).toEqual([]);
    });
  });

  test('a further control plane needs etcd as the first one does', async () => {
    const further = initChecks(config, { manifests: '/m' }, { place: 'further', downloadsCertificates: true });
    expect(await findings(goodHost({ hasProgram: () => false }), further)).toEqual([
      'ERROR FileExisting-etcd: etcd not found in system path',
    ]);
  });

  test('a missing cgroup controller of version 1 is an error', async () => {
    const text = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\ncpuset\t1\t1\t1\nmemory\t1\t1\t0\npids\t1\t1\t1\n';
    const facts = goodHost({
      exists: () => false,
      readText: fileWith('/proc/cgroups', text),
      docker: () => Promise.resolve({ version: '', cgroupDriver: 'cgroupfs', cgroupVersion: '1' }),
    });
    expect(await findings(facts)).toEqual([
      'WARNING SystemVerification: cgroups v1 support is in maintenance mode, please migrate to cgroups v2',
      'ERROR SystemVerification: missing required cgroups: memory',
    ]);
  });

  test('joining refuses what an earlier join left', async () => {
    const facts = goodHost({ exists: (path) => path.startsWith('/etc/kubernetes/') });
    const found = await Promise.all(
      joinChecks('n1', { kubernetes: '/etc/kubernetes', caFile: '/etc/kubernetes/pki/ca.crt' }).map(async ({ look }) => await look(facts)),
    );
    expect(found.flatMap(({ errors = [] }) => errors).filter((line) => line.endsWith('already exists'))).toEqual([
      '/etc/kubernetes/kubelet.conf already exists',
      '/etc/kubernetes/bootstrap-kubelet.conf already exists',
      '/etc/kubernetes/pki/ca.crt already exists',
    ]);
  });
});

describe('runChecks', () => {
  const bad = goodHost({ cpus: 1, memoryMegabytes: 1 });

  test('says every error at once, and how to pass them over', async () => {
    const host = recordedHost();
    await expect(runChecks(checks, bad, [], host)).rejects.toThrow('error execution phase preflight: preflight checks failed');
    expect(host.warned.join('')).toBe(
      '[preflight] Some fatal errors occurred:\n\t[ERROR NumCPU]: the number of available CPUs 1 is less than the required 2\n\t[ERROR Mem]: the system RAM (1 MB) is less than the minimum 1700 MB\n[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`\n',
    );
  });

  test.each([[['numcpu', 'MEM']], [['all']]])('%j makes them warnings', async (ignored) => {
    const host = recordedHost();
    await runChecks(checks, bad, ignored, host);
    expect(host.warned).toEqual([
      '\t[WARNING NumCPU]: the number of available CPUs 1 is less than the required 2\n',
      '\t[WARNING Mem]: the system RAM (1 MB) is less than the minimum 1700 MB\n',
    ]);
  });
});

describe('what the kernel tells', () => {
  test('ports that listen', () => {
    const table =
      '  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n   1: 0100007F:1F91 0100007F:0016 01 0\n   2: 00000000:7530 00000000:0000 0A 0\n';
    expect(portsIn(table)).toEqual([8_080, 30_000]);
  });

  test('networks with a route, the default one left out', () => {
    const told = [
      { dst: 'default', gateway: '192.168.1.1', dev: 'eth0', protocol: 'static' },
      { dst: '10.244.1.0/24', gateway: '192.168.1.12', dev: 'eth0', protocol: '87' },
      { dst: '10.1.2.3', dev: 'tun0', protocol: 'kernel' },
    ];
    expect(routesIn(JSON.stringify(told))).toEqual([
      { network: '10.244.1.0/24', device: 'eth0', protocol: '87' },
      { network: '10.1.2.3/32', device: 'tun0', protocol: 'kernel' },
    ]);
    expect(routesIn('')).toEqual([]);
  });
});
