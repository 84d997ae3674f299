import { join } from 'node:path';
import type { ClusterConfig, Layout } from './layout.ts';

/** One supervised process. */
export interface Component {
  readonly name: string;
  /** The program, where it is not Node. */
  readonly program?: string;
  /** The program's arguments; for Node its options, the bundle and the component's flags. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What its manifest calls the program: another image means another version, and a new start. */
  readonly image?: string;
  /** What else it knows from its start on: a new start is due when this changes. */
  readonly knows?: string;
  /** Flags whose files it reads again when they change: new certificates there are no reason to replace it. */
  readonly reloads?: readonly string[];
}

/** What the API server takes over while it runs, or does not read at all. */
export const reloadedByApiServer: readonly string[] = [
  'tls-cert-file',
  'tls-private-key-file',
  'client-ca-file',
  'requestheader-client-ca-file',
  'kubelet-client-certificate',
  'kubelet-client-key',
  'kubelet-certificate-authority',
  'etcd-cafile',
  'etcd-certfile',
  'etcd-keyfile',
  'proxy-client-cert-file',
  'proxy-client-key-file',
];

/**
 * Node's options for a component. A small young generation keeps an idle one small and its pauses short; a busy one grows all the same.
 * The API server has a larger one (docs/performance.md): what its requests leave behind is dead by the time it is looked at then. Its
 * objects are buffers beside the heap, for each 64 MB of which V8 by itself collects everything; with the second option it does so when heap
 * and buffers together have grown by their share.
 */
export function heapOptions(name: string): readonly string[] {
  if (name !== 'kube-apiserver') return ['--max-semi-space-size=4'];
  return ['--max-semi-space-size=32', '--external-memory-accounted-in-global-limit'];
}

/**
 * Settings of the C library's allocator. It keeps memory for each thread apart, and keeps it: where few threads work at a time that is
 * waste. The API server's store writes in a thread of its own; what its caches keep of the past comes in pieces of 256 KiB
 * (apiserver/storage/past-bytes.ts), which go back to the system when they are freed.
 */
export function allocatorEnv(name: string): Record<string, string> {
  return name === 'kube-apiserver' ? { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: String(256 * 1_024) } : { MALLOC_ARENA_MAX: '1' };
}

/**
 * The disk of a local cluster is its user's, and fuller than a server's may be: at upstream's 10 and 15 % many a laptop would take no pod,
 * though nothing that pods do fills it. What is left here still saves the machine from pods that write without end.
 */
const lenientThresholds = [
  'memory.available<100Mi',
  ...['nodefs', 'imagefs'].flatMap((disk) => [`${disk}.available<1%`, `${disk}.inodesFree<1%`]),
].join(',');

/** What the user gives counts in place of what is given here. */
function flagsOf(own: Readonly<Record<string, string>>, extra: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries({ ...own, ...extra }).map(([flag, value]) => `--${flag}=${value}`);
}

/** The processes of a local cluster, in the order they start; they stop in reverse. Bundles lie in `bundleDir`. */
export function components(layout: Layout, config: ClusterConfig, bundleDir: string): readonly Component[] {
  const make = (name: string, flags: Readonly<Record<string, string>>): Component => ({
    name,
    argv: [...heapOptions(name), join(bundleDir, `${name}.js`), ...flagsOf(flags, config.extraArgs?.[name])],
    env: allocatorEnv(name),
    ...(name === 'kube-apiserver' ? { reloads: reloadedByApiServer } : {}),
  });
  const served = (name: string): Record<string, string> => ({
    'tls-cert-file': layout.pki(`${name}.crt`),
    'tls-private-key-file': layout.pki(`${name}.key`),
  });
  const kubeconfig = (user: string): Record<string, string> => ({ kubeconfig: layout.kubeconfig(user) });
  return [
    make('kube-apiserver', {
      'data-dir': layout.store,
      'secure-port': String(config.port),
      'advertise-address': config.nodeIp,
      ...served('apiserver'),
      'client-ca-file': layout.pki('ca.crt'),
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': 'NodeRestriction',
      'service-account-key-file': layout.pki('sa.pub'),
      'service-account-signing-key-file': layout.pki('sa.key'),
      'service-account-issuer': `https://kubernetes.default.svc.${config.clusterDomain}`,
      'service-cluster-ip-range': config.serviceCidr,
      'kubelet-client-certificate': layout.pki('apiserver-kubelet-client.crt'),
      'kubelet-client-key': layout.pki('apiserver-kubelet-client.key'),
      'kubelet-certificate-authority': layout.pki('ca.crt'),
    }),
    // One of each runs on this host, and the supervisor sees to that: without a lease, a restarted one works at once.
    make('kube-scheduler', { ...kubeconfig('scheduler'), ...served('kube-scheduler'), 'leader-elect': 'false' }),
    make('kube-controller-manager', {
      ...kubeconfig('controller-manager'),
      ...served('kube-controller-manager'),
      'leader-elect': 'false',
      'use-service-account-credentials': 'true',
      'cluster-signing-cert-file': layout.pki('ca.crt'),
      'cluster-signing-key-file': layout.pki('ca.key'),
      'root-ca-file': layout.pki('ca.crt'),
      'allocate-node-cidrs': 'true',
      'cluster-cidr': config.podCidr,
      'load-balancer-cidr': config.loadBalancerCidr,
    }),
    make('kubelet', {
      ...kubeconfig('kubelet'),
      'hostname-override': config.nodeName,
      'node-ip': config.nodeIp,
      'cluster-dns': config.dnsIp,
      'eviction-hard': lenientThresholds,
      'cluster-domain': config.clusterDomain,
      'client-ca-file': layout.pki('ca.crt'),
      ...served('kubelet'),
    }),
    make('kube-proxy', {
      ...kubeconfig('kube-proxy'),
      'hostname-override': config.nodeName,
      'cluster-cidr': config.podCidr,
    }),
    make('coxswain-dns', {
      ...kubeconfig('dns'),
      'cluster-domain': config.clusterDomain,
      'service-ip': config.dnsIp,
      'cluster-cidr': config.podCidr,
      'node-ip': config.nodeIp,
    }),
  ];
}
