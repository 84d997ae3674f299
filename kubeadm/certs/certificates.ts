// Every certificate of a control plane: one declaration each, from which creating, checking and renewing follow.
// Names, subjects and places as upstream's cmd/kubeadm/app/phases/certs/certlist.go.
import { isIP } from 'node:net';
import { firstAddress } from '#base/host-network.ts';
import type { CertificateRequest } from '#base/pki.ts';
import { type InitConfiguration, splitHostPort } from '../config/cluster.ts';

export interface AuthoritySpec {
  readonly name: 'ca' | 'front-proxy-ca' | 'etcd-ca';
  readonly about: string;
  /** Below the certificates' folder, without extension. */
  readonly baseName: string;
  readonly commonName: string;
}

export interface CertificateSpec {
  readonly name: string;
  readonly about: string;
  readonly baseName: string;
  readonly ca: AuthoritySpec['name'];
  readonly request: (config: InitConfiguration) => CertificateRequest;
}

export const authorities: readonly AuthoritySpec[] = [
  {
    name: 'ca',
    about: 'self-signed Kubernetes CA to provision identities for other Kubernetes components',
    baseName: 'ca',
    commonName: 'kubernetes',
  },
  {
    name: 'front-proxy-ca',
    about: 'self-signed CA to provision identities for front proxy',
    baseName: 'front-proxy-ca',
    commonName: 'front-proxy-ca',
  },
  { name: 'etcd-ca', about: 'self-signed CA to provision identities for etcd', baseName: 'etcd/ca', commonName: 'etcd-ca' },
];

export const certificates: readonly CertificateSpec[] = [
  {
    name: 'apiserver',
    about: 'certificate for serving the Kubernetes API',
    baseName: 'apiserver',
    ca: 'ca',
    request: (config) => ({ commonName: 'kube-apiserver', usages: ['server'], ...apiServerNames(config) }),
  },
  {
    name: 'apiserver-kubelet-client',
    about: 'certificate for the API server to connect to kubelet',
    baseName: 'apiserver-kubelet-client',
    ca: 'ca',
    request: () => ({ commonName: 'kube-apiserver-kubelet-client', organizations: ['kubeadm:cluster-admins'], usages: ['client'] }),
  },
  {
    name: 'front-proxy-client',
    about: 'certificate for the front proxy client',
    baseName: 'front-proxy-client',
    ca: 'front-proxy-ca',
    request: () => ({ commonName: 'front-proxy-client', usages: ['client'] }),
  },
  {
    name: 'etcd-server',
    about: 'certificate for serving etcd',
    baseName: 'etcd/server',
    ca: 'etcd-ca',
    // etcd checks its own server certificate as a client's, too.
    request: (config) => ({
      commonName: config.local.node.name,
      usages: ['server', 'client'],
      ...etcdNames(config, localEtcd(config)?.serverCertSANs),
    }),
  },
  {
    name: 'etcd-peer',
    about: 'certificate for etcd nodes to communicate with each other',
    baseName: 'etcd/peer',
    ca: 'etcd-ca',
    request: (config) => ({
      commonName: config.local.node.name,
      usages: ['server', 'client'],
      ...etcdNames(config, localEtcd(config)?.peerCertSANs),
    }),
  },
  {
    name: 'etcd-healthcheck-client',
    about: 'certificate for liveness probes to healthcheck etcd',
    baseName: 'etcd/healthcheck-client',
    ca: 'etcd-ca',
    request: () => ({ commonName: 'kube-etcd-healthcheck-client', usages: ['client'] }),
  },
  {
    name: 'apiserver-etcd-client',
    about: 'certificate the apiserver uses to access etcd',
    baseName: 'apiserver-etcd-client',
    ca: 'etcd-ca',
    request: () => ({ commonName: 'kube-apiserver-etcd-client', usages: ['client'] }),
  },
];

/** Where a cluster uses an etcd of its own, certificates of it are ours. */
export function localEtcd({
  cluster,
}: InitConfiguration): { readonly serverCertSANs?: readonly string[]; readonly peerCertSANs?: readonly string[] } | undefined {
  return 'local' in cluster.etcd ? cluster.etcd.local : undefined;
}

interface Names {
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
}

function apiServerNames({ cluster, local }: InitConfiguration): Names {
  const { serviceSubnet, dnsDomain } = cluster.networking;
  const endpoint = cluster.controlPlaneEndpoint === '' ? [] : [splitHostPort(cluster.controlPlaneEndpoint, local.bindPort).host];
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${dnsDomain}`];
  return sorted([
    local.node.name,
    ...service,
    firstAddress(serviceSubnet),
    local.advertiseAddress,
    ...endpoint,
    ...(cluster.apiServer.certSANs ?? []),
  ]);
}

function etcdNames({ local }: InitConfiguration, extra: readonly string[] = []): Names {
  return sorted([local.node.name, 'localhost', local.advertiseAddress, '127.0.0.1', '::1', ...extra]);
}

function sorted(names: readonly string[]): Names {
  const all = [...new Set(names)];
  return { dnsNames: all.filter((name) => isIP(name) === 0), ips: all.filter((name) => isIP(name) !== 0) };
}
