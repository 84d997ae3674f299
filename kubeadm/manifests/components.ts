// The components of a control plane with upstream's flags (cmd/kubeadm/app/phases/controlplane, phases/etcd).
import { dirname, join } from 'node:path';
import type { ExternalEtcd, InitConfiguration } from '../config/cluster.ts';
import type { Folders } from '../folders.ts';
import { commandLine } from './arguments.ts';
import type { ComponentPod } from './component-pod.ts';

export interface EtcdMember {
  readonly name: string;
  readonly peerUrl: string;
}

const clientPort = 2_379;
const peerPort = 2_380;
const metricsPort = 2_381;

const localHost = '127.0.0.1';

export function apiServerPod({ cluster, local }: InitConfiguration, folders: Folders): ComponentPod {
  const pki = (name: string): string => join(folders.certificates, name);
  const { serviceSubnet, dnsDomain } = cluster.networking;
  const etcd =
    'local' in cluster.etcd
      ? {
          'etcd-servers': `https://${localHost}:${clientPort}`,
          'etcd-cafile': pki('etcd/ca.crt'),
          'etcd-certfile': pki('apiserver-etcd-client.crt'),
          'etcd-keyfile': pki('apiserver-etcd-client.key'),
        }
      : externalEtcdFlags(cluster.etcd.external);
  const command = commandLine(
    'kube-apiserver',
    {
      'advertise-address': local.advertiseAddress,
      'allow-privileged': 'true',
      'authorization-mode': 'Node,RBAC',
      'client-ca-file': pki('ca.crt'),
      'enable-admission-plugins': 'NodeRestriction',
      'enable-bootstrap-token-auth': 'true',
      ...etcd,
      'kubelet-client-certificate': pki('apiserver-kubelet-client.crt'),
      'kubelet-client-key': pki('apiserver-kubelet-client.key'),
      'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
      'proxy-client-cert-file': pki('front-proxy-client.crt'),
      'proxy-client-key-file': pki('front-proxy-client.key'),
      'requestheader-allowed-names': 'front-proxy-client',
      'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-username-headers': 'X-Remote-User',
      'secure-port': String(local.bindPort),
      'service-account-issuer': `https://kubernetes.default.svc.${dnsDomain}`,
      'service-account-key-file': pki('sa.pub'),
      'service-account-signing-key-file': pki('sa.key'),
      'service-cluster-ip-range': serviceSubnet,
      'tls-cert-file': pki('apiserver.crt'),
      'tls-private-key-file': pki('apiserver.key'),
    },
    cluster.apiServer.extraArgs,
  );
  return {
    name: 'kube-apiserver',
    image: `${cluster.imageRepository}/kube-apiserver:${cluster.kubernetesVersion}`,
    command,
    cpu: '250m',
    probe: { host: local.advertiseAddress, port: local.bindPort, scheme: 'HTTPS', live: '/livez', ready: '/readyz' },
    mounts: {
      'k8s-certs': { path: folders.certificates, type: 'DirectoryOrCreate' },
      ...('external' in cluster.etcd ? etcdMounts(cluster.etcd.external, folders.certificates) : {}),
    },
    annotations: { 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${local.advertiseAddress}:${local.bindPort}` },
  };
}

/** Folders of the files that lead to etcd, where the certificates' own does not hold them. */
function etcdMounts({ caFile, certFile, keyFile }: ExternalEtcd, certificates: string): ComponentPod['mounts'] {
  const folders = [caFile, certFile, keyFile].filter((path) => path !== '').map((path) => dirname(path));
  const outside = [...new Set(folders)].filter((path) => !`${path}/`.startsWith(`${certificates}/`)).sort();
  return Object.fromEntries(outside.map((path, at) => [`etcd-certs-${at}`, { path, type: 'DirectoryOrCreate' }]));
}

function externalEtcdFlags(etcd: ExternalEtcd): Readonly<Record<string, string>> {
  return {
    'etcd-servers': etcd.endpoints.join(','),
    ...(etcd.caFile === '' ? {} : { 'etcd-cafile': etcd.caFile }),
    ...(etcd.certFile === '' || etcd.keyFile === '' ? {} : { 'etcd-certfile': etcd.certFile, 'etcd-keyfile': etcd.keyFile }),
  };
}

export function controllerManagerPod(
  { cluster }: InitConfiguration,
  folders: Folders,
  { hasCaKey }: { readonly hasCaKey: boolean },
): ComponentPod {
  const pki = (name: string): string => join(folders.certificates, name);
  const kubeconfig = join(folders.kubernetes, 'controller-manager.conf');
  const { podSubnet, serviceSubnet } = cluster.networking;
  const command = commandLine(
    'kube-controller-manager',
    {
      'authentication-kubeconfig': kubeconfig,
      'authorization-kubeconfig': kubeconfig,
      'bind-address': localHost,
      'client-ca-file': pki('ca.crt'),
      'cluster-name': cluster.clusterName,
      // Where the CA's key is external, nothing is signed here.
      'cluster-signing-cert-file': hasCaKey ? pki('ca.crt') : '',
      'cluster-signing-key-file': hasCaKey ? pki('ca.key') : '',
      controllers: '*,bootstrap-signer-controller,token-cleaner-controller',
      kubeconfig,
      'leader-elect': 'true',
      'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
      'root-ca-file': pki('ca.crt'),
      'service-account-private-key-file': pki('sa.key'),
      'use-service-account-credentials': 'true',
      ...(podSubnet === '' ? {} : { 'allocate-node-cidrs': 'true', 'cluster-cidr': podSubnet, 'service-cluster-ip-range': serviceSubnet }),
    },
    cluster.controllerManager.extraArgs,
  );
  return {
    name: 'kube-controller-manager',
    image: `${cluster.imageRepository}/kube-controller-manager:${cluster.kubernetesVersion}`,
    command,
    cpu: '200m',
    probe: { host: localHost, port: 10_257, scheme: 'HTTPS', live: '/healthz' },
    mounts: {
      'k8s-certs': { path: folders.certificates, type: 'DirectoryOrCreate' },
      kubeconfig: { path: kubeconfig, type: 'FileOrCreate' },
    },
  };
}

export function schedulerPod({ cluster }: InitConfiguration, folders: Folders): ComponentPod {
  const kubeconfig = join(folders.kubernetes, 'scheduler.conf');
  const command = commandLine(
    'kube-scheduler',
    {
      'authentication-kubeconfig': kubeconfig,
      'authorization-kubeconfig': kubeconfig,
      'bind-address': localHost,
      kubeconfig,
      'leader-elect': 'true',
    },
    cluster.scheduler.extraArgs,
  );
  return {
    name: 'kube-scheduler',
    image: `${cluster.imageRepository}/kube-scheduler:${cluster.kubernetesVersion}`,
    command,
    cpu: '100m',
    probe: { host: localHost, port: 10_259, scheme: 'HTTPS', live: '/livez', ready: '/readyz' },
    mounts: { kubeconfig: { path: kubeconfig, type: 'FileOrCreate' } },
  };
}

/**
 * Where the leader is silent for half a second, another one is found within one: etcd's own second is as long as all that requests may wait when
 * a control plane is lost. Machines whose answers take more than 50 ms need more (`etcd.local.extraArgs`).
 */
const electionMs = 500;
const heartbeatMs = 100;

/** A member of an etcd cluster; `others` are there already, and empty for the first. */
export function etcdPod(
  { cluster, local }: InitConfiguration,
  folders: Folders,
  others: readonly EtcdMember[],
  version: EtcdVersion,
): ComponentPod {
  if (!('local' in cluster.etcd)) throw new Error('the etcd of this cluster is external');
  const { dataDir, extraArgs } = cluster.etcd.local;
  const pki = (name: string): string => join(folders.certificates, 'etcd', name);
  const { name } = local.node;
  const members = [...others, { name, peerUrl: peerUrlOf(local.advertiseAddress) }];
  const command = commandLine(
    'etcd',
    {
      'advertise-client-urls': clientUrlOf(local.advertiseAddress),
      'cert-file': pki('server.crt'),
      'client-cert-auth': 'true',
      'data-dir': dataDir,
      'election-timeout': String(electionMs),
      'heartbeat-interval': String(heartbeatMs),
      'initial-advertise-peer-urls': peerUrlOf(local.advertiseAddress),
      'initial-cluster': members.map((member) => `${member.name}=${member.peerUrl}`).join(','),
      ...(others.length === 0 ? {} : { 'initial-cluster-state': 'existing' }),
      'key-file': pki('server.key'),
      'listen-client-urls': `${clientUrlOf(localHost)},${clientUrlOf(local.advertiseAddress)}`,
      'listen-metrics-urls': `http://${localHost}:${metricsPort}`,
      'listen-peer-urls': peerUrlOf(local.advertiseAddress),
      name,
      'peer-cert-file': pki('peer.crt'),
      'peer-client-cert-auth': 'true',
      'peer-key-file': pki('peer.key'),
      'peer-trusted-ca-file': pki('ca.crt'),
      // Whoever was cut off asks before it stands: it would end the leader's term when it comes back. The default from 3.5 on.
      'pre-vote': 'true',
      'snapshot-count': '10000',
      'trusted-ca-file': pki('ca.crt'),
      ...(version.minor >= 6 ? { 'feature-gates': 'InitialCorruptCheck=true' } : { 'experimental-initial-corrupt-check': 'true' }),
    },
    extraArgs,
  );
  const healthPath = version.minor >= 6 || (version.minor === 5 && version.patch >= 11) || (version.minor === 4 && version.patch >= 29);
  return {
    name: 'etcd',
    image: `${cluster.imageRepository}/etcd:3.${version.minor}.${version.patch}`,
    command,
    cpu: '100m',
    memory: '100Mi',
    probe: {
      host: localHost,
      port: metricsPort,
      scheme: 'HTTP',
      ...(healthPath ? { live: '/livez', ready: '/readyz' } : { live: '/health' }),
    },
    mounts: {
      'etcd-certs': { path: join(folders.certificates, 'etcd'), type: 'DirectoryOrCreate' },
      'etcd-data': { path: dataDir, type: 'DirectoryOrCreate', writable: true },
    },
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': clientUrlOf(local.advertiseAddress) },
  };
}

/** `3.MINOR.PATCH` */
export interface EtcdVersion {
  readonly minor: number;
  readonly patch: number;
}

/** From the first line of `etcd --version`. Undefined for anything but an etcd 3. */
export function etcdVersionIn(text: string): EtcdVersion | undefined {
  const [, minor, patch] = /etcd Version: 3\.(\d+)\.(\d+)/.exec(text) ?? [];
  return minor === undefined ? undefined : { minor: Number(minor), patch: Number(patch) };
}

export function clientUrlOf(address: string): string {
  return `https://${address}:${clientPort}`;
}

export function peerUrlOf(address: string): string {
  return `https://${address}:${peerPort}`;
}
