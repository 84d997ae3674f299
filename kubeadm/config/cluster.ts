// The part of kubeadm.k8s.io/v1beta4 that a cluster shares (kept in the ConfigMap kubeadm-config) and the part that is one host's, with
// defaults filled in.

import type { KeyAlgorithm } from '#base/pki.ts';
import { version } from '#base/version.ts';

/** An argument of a component; the same name may come twice. */
export interface Argument {
  readonly name: string;
  readonly value: string;
}

interface ComponentConfiguration {
  readonly extraArgs?: readonly Argument[];
}

export interface LocalEtcd extends ComponentConfiguration {
  readonly dataDir: string;
  readonly serverCertSANs?: readonly string[];
  readonly peerCertSANs?: readonly string[];
}

export interface ExternalEtcd {
  readonly endpoints: readonly string[];
  /** Where HTTP is asked for (`/version`, `/health`), if etcd has it apart from gRPC (`--listen-client-http-urls`). */
  readonly httpEndpoints?: readonly string[];
  /** Paths; empty where etcd speaks plain HTTP. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ClusterConfiguration {
  readonly clusterName: string;
  readonly kubernetesVersion: string;
  /** `HOST[:PORT]` in front of all control planes; '' for one control plane alone. */
  readonly controlPlaneEndpoint: string;
  readonly certificatesDir: string;
  readonly imageRepository: string;
  readonly encryptionAlgorithm: KeyAlgorithm;
  /** How long new certificates last. */
  readonly certificateValidityMs: number;
  readonly caCertificateValidityMs: number;
  readonly networking: {
    readonly serviceSubnet: string;
    /** '' where pod CIDRs are not allocated per node. */
    readonly podSubnet: string;
    readonly dnsDomain: string;
  };
  readonly apiServer: ComponentConfiguration & { readonly certSANs?: readonly string[] };
  readonly controllerManager: ComponentConfiguration;
  readonly scheduler: ComponentConfiguration;
  readonly etcd: { readonly local: LocalEtcd } | { readonly external: ExternalEtcd };
  /** A KubeletConfiguration as it was given; it goes over the defaults, field by field. */
  readonly kubelet?: Readonly<Record<string, unknown>>;
}

export interface NodeRegistration {
  readonly name: string;
  readonly criSocket: string;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly kubeletExtraArgs?: readonly Argument[];
}

/** One host's part. */
export interface LocalConfiguration {
  readonly advertiseAddress: string;
  readonly bindPort: number;
  readonly node: NodeRegistration;
}

export interface InitConfiguration {
  readonly cluster: ClusterConfiguration;
  readonly local: LocalConfiguration;
}

/** How long to wait for what, in ms; upstream's names. */
export interface Timeouts {
  readonly controlPlaneComponentHealthCheck: number;
  readonly discovery: number;
  readonly etcdAPICall: number;
  readonly kubeletHealthCheck: number;
  readonly kubernetesAPICall: number;
  readonly tlsBootstrap: number;
  readonly upgradeManifests: number;
}

const minuteMs = 60_000;

/** https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/#kubeadm-k8s-io-v1beta4-Timeouts */
export const defaultTimeouts: Timeouts = {
  controlPlaneComponentHealthCheck: 4 * minuteMs,
  discovery: 5 * minuteMs,
  etcdAPICall: 2 * minuteMs,
  kubeletHealthCheck: 4 * minuteMs,
  kubernetesAPICall: minuteMs,
  tlsBootstrap: 5 * minuteMs,
  upgradeManifests: 5 * minuteMs,
};

export const kubernetesFolder = '/etc/kubernetes';
const hourMs = 3_600_000;

/** Upstream's defaults, but for the key algorithm (docs of base/pki.ts) and the container engine. */
export const defaultCluster: ClusterConfiguration = {
  clusterName: 'kubernetes',
  kubernetesVersion: version.replace(/\+.*$/, ''),
  controlPlaneEndpoint: '',
  certificatesDir: `${kubernetesFolder}/pki`,
  imageRepository: 'registry.k8s.io',
  encryptionAlgorithm: 'ECDSA-P256',
  certificateValidityMs: 8_760 * hourMs,
  caCertificateValidityMs: 87_600 * hourMs,
  networking: { serviceSubnet: '10.96.0.0/12', podSubnet: '', dnsDomain: 'cluster.local' },
  apiServer: {},
  controllerManager: {},
  scheduler: {},
  etcd: { local: { dataDir: '/var/lib/etcd' } },
};
export const defaultBindPort = 6443;
export const dockerSocket = 'unix:///var/run/docker.sock';

/** `https://` and the address that clients of the whole cluster dial. */
export function clusterUrl({ cluster, local }: InitConfiguration): string {
  if (cluster.controlPlaneEndpoint === '') return localUrl(local);
  const { host, port } = splitHostPort(cluster.controlPlaneEndpoint, local.bindPort);
  return `https://${bracketed(host)}:${port}`;
}

/** The API server of this very host. */
export function localUrl({ advertiseAddress, bindPort }: LocalConfiguration): string {
  return `https://${bracketed(advertiseAddress)}:${bindPort}`;
}

/** Takes `HOST`, `HOST:PORT`, `ADDRESS6` or `[ADDRESS6]:PORT` apart. Throws an Error that says what is wrong. */
export function splitHostPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const bracket = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const [host = '', port] = bracket !== null ? [bracket[1] ?? '', bracket[2]] : isPlainAddress6(text) ? [text] : text.split(/:(?=[^:]*$)/);
  const number = port === undefined ? defaultPort : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error(`port ${JSON.stringify(port)} must be a number between 1 and 65535, inclusive`);
  if (host === '' || /[\s/]/.test(host)) throw new Error(`host ${JSON.stringify(host)} must be an IP address or a DNS name`);
  return { host, port: number };
}

function isPlainAddress6(text: string): boolean {
  return text.split(':').length > 2;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
