// The checks, with upstream's names and words (cmd/kubeadm/app/preflight/checks.go). Each answers warnings and errors; what only we need is
// at the end of the file.
import { subnetsOverlap } from '../config/subnets.ts';
import type { InitConfiguration } from '../config/cluster.ts';
import { externalEtcdFiles, externalEtcdVersion } from './external-etcd.ts';
import type { HostFacts } from './facts.ts';

interface Findings {
  readonly warnings?: readonly string[];
  readonly errors?: readonly string[];
}

export interface Check {
  readonly name: string;
  look(facts: HostFacts): Promise<Findings> | Findings;
}

const fine: Findings = {};
const controlPlaneCpus = 2;
const controlPlaneMegabytes = 1_700;
const kubeletPort = 10_250;
/** The protocol number of kube-proxy's routes. */
const nodeRoutes = '87';
const mandatoryPrograms = ['docker', 'ip', 'mount', 'nft', 'nsenter'];
const optionalPrograms = ['ethtool', 'tc'];
const manifestNames = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];

export const isPrivilegedUser: Check = {
  name: 'IsPrivilegedUser',
  look: ({ userId }) => (userId === 0 ? fine : { errors: ['user is not running as root'] }),
};

/** A further control plane has passed `joinChecks` already. */
export type ControlPlaneOrder = { readonly place: 'first' } | { readonly place: 'further'; readonly downloadsCertificates: boolean };

/** What a control plane asks of its host. */
export function initChecks(
  { cluster, local }: InitConfiguration,
  folders: { readonly manifests: string },
  order: ControlPlaneOrder = { place: 'first' },
): readonly Check[] {
  const { serviceSubnet, podSubnet: pods } = cluster.networking;
  return [
    numCpu,
    memory,
    firewalld([local.bindPort, kubeletPort]),
    ...[local.bindPort, 10_259, 10_257].map(port),
    ...manifestNames.map((name) => fileAvailable(`${folders.manifests}/${name}.yaml`)),
    httpProxy(local.advertiseAddress),
    httpProxyCidr(serviceSubnet),
    ...(pods === '' ? [] : [httpProxyCidr(pods), podSubnet(pods)]),
    ...(order.place === 'first' ? [...nodeChecks(local.node.name), cgroupDriver(cluster.kubelet?.['cgroupDriver']), ...forwarding] : []),
    ...etcdChecks(cluster.etcd, order),
  ];
}

function etcdChecks(etcd: InitConfiguration['cluster']['etcd'], order: ControlPlaneOrder): readonly Check[] {
  if ('local' in etcd) return [port(2_379), port(2_380), folderAvailable(etcd.local.dataDir), program('etcd')];
  if (order.place === 'further') return order.downloadsCertificates ? [] : externalEtcdFiles(etcd.external);
  return [externalEtcdVersion(etcd.external), ...externalEtcdFiles(etcd.external)];
}

/** What `kubeadm join` asks of its host; a control plane's further checks are those of `init`. */
export function joinChecks(
  nodeName: string,
  folders: { readonly kubernetes: string; readonly caFile: string | undefined },
): readonly Check[] {
  const { kubernetes, caFile } = folders;
  return [
    fileAvailable(`${kubernetes}/kubelet.conf`),
    fileAvailable(`${kubernetes}/bootstrap-kubelet.conf`),
    ...nodeChecks(nodeName),
    ...(caFile === undefined ? [] : [fileAvailable(caFile)]),
    ...forwarding,
  ];
}

function nodeChecks(nodeName: string): readonly Check[] {
  return [
    containerRuntime,
    swap,
    ...mandatoryPrograms.map((name) => program(name)),
    ...optionalPrograms.map((name) => program(name, { isOptional: true })),
    systemVerification,
    hostname(nodeName),
    port(kubeletPort),
    nodePorts,
  ];
}

const numCpu: Check = {
  name: 'NumCPU',
  look: ({ cpus }) =>
    cpus >= controlPlaneCpus ? fine : { errors: [`the number of available CPUs ${cpus} is less than the required ${controlPlaneCpus}`] },
};

const memory: Check = {
  name: 'Mem',
  look: ({ memoryMegabytes }) =>
    memoryMegabytes >= controlPlaneMegabytes
      ? fine
      : { errors: [`the system RAM (${memoryMegabytes} MB) is less than the minimum ${controlPlaneMegabytes} MB`] },
};

function firewalld(ports: readonly number[]): Check {
  return {
    name: 'Firewalld',
    look: (facts) =>
      facts.exists('/run/firewalld') || facts.exists('/var/run/firewalld.pid')
        ? {
            warnings: [`firewalld is active, please ensure ports [${ports.join(' ')}] are open or your cluster may not function correctly`],
          }
        : fine,
  };
}

function port(number: number): Check {
  return {
    name: `Port-${number}`,
    look: async (facts) => ((await facts.isPortFree(number)) ? fine : { errors: [`Port ${number} is in use`] }),
  };
}

function fileAvailable(path: string): Check {
  return {
    name: `FileAvailable-${dashed(path)}`,
    look: (facts) => (facts.exists(path) ? { errors: [`${path} already exists`] } : fine),
  };
}

function folderAvailable(path: string): Check {
  return {
    name: `DirAvailable-${dashed(path)}`,
    look: (facts) => (facts.isFilledFolder(path) ? { errors: [`${path} is not empty`] } : fine),
  };
}

function fileContent(path: string, content: string): Check {
  return {
    name: `FileContent-${dashed(path)}`,
    look: (facts) => {
      const text = facts.readText(path);
      if (text === undefined) return { errors: [`${path} does not exist`] };
      return text.startsWith(content) ? fine : { errors: [`${path} contents are not set to ${content}`] };
    },
  };
}

const forwarding: readonly Check[] = [
  fileContent('/proc/sys/net/bridge/bridge-nf-call-iptables', '1'),
  fileContent('/proc/sys/net/ipv4/ip_forward', '1'),
];

function program(name: string, { isOptional = false } = {}): Check {
  return {
    name: `FileExisting-${dashed(name)}`,
    look: (facts) => {
      if (facts.hasProgram(name)) return fine;
      const problem = [`${name} not found in system path`];
      return isOptional ? { warnings: problem } : { errors: problem };
    },
  };
}

const containerRuntime: Check = {
  name: 'CRI',
  look: async (facts) => {
    try {
      await facts.docker();
      return fine;
    } catch (error) {
      return { errors: [`container runtime is not running: ${error instanceof Error ? error.message : String(error)}`] };
    }
  },
};

const swap: Check = {
  name: 'Swap',
  look: (facts) => {
    const lines = (facts.readText('/proc/swaps') ?? '').split('\n').filter((line) => line !== '');
    if (lines.length <= 1) return fine;
    return {
      warnings: ['swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap, or disable swap on the node'],
    };
  },
};

/** The kernel's cgroups, and that the engine and the kubelet would share them. */
const systemVerification: Check = {
  name: 'SystemVerification',
  look: async (facts) => {
    if (facts.exists('/sys/fs/cgroup/cgroup.controllers')) return fine;
    const known = (facts.readText('/proc/cgroups') ?? '').split('\n').map((line) => line.split('\t'));
    const missing = ['cpu', 'cpuset', 'memory', 'pids'].filter(
      (name) => !known.some(([found, , , enabled]) => found === name && enabled === '1'),
    );
    const version = await facts.docker().then(
      ({ cgroupVersion }) => cgroupVersion,
      () => '1',
    );
    return {
      warnings: version === '2' ? [] : ['cgroups v1 support is in maintenance mode, please migrate to cgroups v2'],
      errors: missing.length === 0 ? [] : [`missing required cgroups: ${missing.join(' ')}`],
    };
  },
};

function hostname(nodeName: string): Check {
  return {
    name: 'Hostname',
    look: async (facts) => {
      const isName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(nodeName) && nodeName.length <= 253;
      const problem = await facts.lookupProblem(nodeName);
      return {
        errors: isName
          ? []
          : [
              `invalid node name format ${JSON.stringify(nodeName)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
            ],
        warnings: problem === undefined ? [] : [`hostname "${nodeName}" could not be reached`, `hostname "${nodeName}": ${problem}`],
      };
    },
  };
}

function httpProxy(host: string): Check {
  return {
    name: 'HTTPProxy',
    look: ({ env }) => {
      const proxy = proxyFor(env, [host]);
      if (proxy === undefined) return fine;
      return {
        warnings: [
          `Connection to "https://${host}" uses proxy ${JSON.stringify(proxy)}. If that is not intended, adjust your proxy settings`,
        ],
      };
    },
  };
}

function httpProxyCidr(cidr: string): Check {
  return {
    name: 'HTTPProxyCIDR',
    look: ({ env }) => {
      const proxy = proxyFor(env, [cidr, cidr.split('/')[0] ?? '']);
      if (proxy === undefined) return fine;
      return {
        warnings: [
          `connection to ${JSON.stringify(cidr)} uses proxy ${JSON.stringify(proxy)}. This may lead to malfunctional cluster setup. Make sure that Pod and Services IP ranges specified correctly as exceptions in proxy configuration`,
        ],
      };
    },
  };
}

function proxyFor(env: HostFacts['env'], names: readonly string[]): string | undefined {
  const proxy = env['HTTPS_PROXY'] ?? env['https_proxy'];
  if (proxy === undefined || proxy === '') return undefined;
  const exceptions = (env['NO_PROXY'] ?? env['no_proxy'] ?? '').split(',').map((entry) => entry.trim());
  const isExcepted = (name: string): boolean =>
    exceptions.some(
      (entry) =>
        entry === '*' || entry === name || (entry.includes('/') && subnetsOverlap(entry, name.includes('/') ? name : `${name}/32`)),
    );
  return names.some(isExcepted) ? undefined : proxy;
}

/** A kubelet configured with another driver than the engine's does not start. */
export function cgroupDriver(wanted: unknown): Check {
  return {
    name: 'CgroupDriver',
    look: async (facts) => {
      if (typeof wanted !== 'string' || wanted === '') return fine;
      const found = await facts.docker().then(
        (docker) => docker.cgroupDriver,
        () => wanted, // The check of the engine says it.
      );
      if (found === wanted) return fine;
      return {
        errors: [
          `kubelet cgroup driver: ${JSON.stringify(wanted)} is different from docker cgroup driver: ${JSON.stringify(found)}: leave cgroupDriver out of the KubeletConfiguration, or set "exec-opts": ["native.cgroupdriver=${wanted}"] in /etc/docker/daemon.json and restart Docker`,
        ],
      };
    },
  };
}

/** Not upstream's: node ports that are in use could never reach a Service. */
const nodePorts: Check = {
  name: 'NodePorts',
  look: (facts) => {
    const taken = facts.listeningPorts().filter((number) => number >= 30_000 && number <= 32_767);
    return taken.length === 0 ? fine : { warnings: [`ports of the node-port range 30000-32767 are in use: ${taken.join(', ')}`] };
  },
};

/** Not upstream's: pods at addresses that the host reaches elsewhere would not be reached. */
function podSubnet(cidr: string): Check {
  return {
    name: 'PodSubnet',
    look: (facts) => {
      const found = facts.routes().filter(({ network, device, protocol }) => !isOfPods(device, protocol) && subnetsOverlap(network, cidr));
      return {
        warnings: found.map(({ network, device }) => `the pod network ${cidr} overlaps ${network}, which this host reaches by ${device}`),
      };
    },
  };
}

/** Ways to pods, which an earlier cluster or this one made: by the devices of pod networks, and kube-proxy's to other nodes. */
function isOfPods(device: string, protocol: string | undefined): boolean {
  return protocol === nodeRoutes || /^(coxswain|cni|flannel|vxlan|cali|cilium|tunl|weave)/.test(device);
}

function dashed(path: string): string {
  return path.replaceAll('/', '-');
}
