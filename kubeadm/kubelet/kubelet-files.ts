// What kubeadm leaves for the kubelet of a host: its configuration and its flags, at upstream's places below /var/lib/kubelet.
import { join } from 'node:path';
import { addressAt } from '#base/host-network.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { ClusterConfiguration, LocalConfiguration } from '../config/cluster.ts';
import { foldersAt } from '../folders.ts';
import { yamlOf } from '../config/document.ts';

/** The KubeletConfiguration of every node of the cluster. */
export function kubeletConfigurationText({ certificatesDir, networking, kubelet = {} }: ClusterConfiguration): string {
  const defaults = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: join(certificatesDir, 'ca.crt') } },
    authorization: { mode: 'Webhook' },
    clusterDNS: [dnsAddress(networking.serviceSubnet)],
    clusterDomain: networking.dnsDomain,
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10_248,
    rotateCertificates: true,
    staticPodPath: foldersAt(certificatesDir).manifests,
  };
  return yamlOf(merged(defaults, kubelet));
}

/** Maps inside of maps are merged; anything else of `over` takes the place of what was there. */
function merged(base: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const fields = Object.entries(over).map(([field, value]): [string, unknown] => {
    const below = Object.hasOwn(base, field) ? base[field] : undefined;
    return [field, isMap(below) && isMap(value) ? merged(below, value) : value];
  });
  return { ...base, ...Object.fromEntries(fields) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tenth address of the Service network, which the DNS Service gets. */
export function dnsAddress(serviceSubnet: string): string {
  return addressAt(serviceSubnet, 10);
}

interface KubeletFiles {
  /** `/var/lib/kubelet`, or its like. */
  readonly folder: string;
  /** The path in messages: the real one, also in a dry run. */
  readonly shown: string;
  readonly configuration: string;
  readonly local: LocalConfiguration;
  /** The cluster's pod CIDR; '' where it is not allocated per node. */
  readonly podSubnet: string;
}

/** Writes `config.yaml` and `kubeadm-flags.env`. */
export function writeKubeletFiles({ folder, shown, configuration, local, podSubnet }: KubeletFiles, print: (text: string) => void): void {
  const [flagsPath, configPath] = [join(folder, 'kubeadm-flags.env'), join(folder, 'config.yaml')];
  print(`[kubelet-start] Writing kubelet environment file with flags to file ${JSON.stringify(join(shown, 'kubeadm-flags.env'))}\n`);
  writeFileAtomically(flagsPath, `KUBELET_KUBEADM_ARGS="${kubeletFlags(local, podSubnet).join(' ')}"\n`, 0o644);
  print(`[kubelet-start] Writing kubelet configuration to file ${JSON.stringify(join(shown, 'config.yaml'))}\n`);
  writeFileAtomically(configPath, configuration, 0o644);
}

function kubeletFlags({ node, advertiseAddress }: LocalConfiguration, podSubnet: string): readonly string[] {
  const taints = (node.taints ?? []).map(({ key, value = '', effect }) => `${key}=${value}:${effect}`);
  const own = (node.kubeletExtraArgs ?? []).map(({ name, value }) => [name, value] as const);
  const flags = new Map<string, string>([
    ['container-runtime-endpoint', node.criSocket],
    ['hostname-override', node.name],
    ['node-ip', advertiseAddress],
    ...(podSubnet === '' ? [] : [['cluster-cidr', podSubnet] as const]),
    ...(taints.length === 0 ? [] : [['register-with-taints', taints.join(',')] as const]),
    ...own,
  ]);
  return [...flags].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `--${name}=${value}`);
}
