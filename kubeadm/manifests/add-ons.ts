// What runs on nodes beside the control plane's components.
import { join } from 'node:path';
import type { InitConfiguration } from '../config/cluster.ts';
import type { Folders } from '../folders.ts';
import { dnsAddress } from '../kubelet/kubelet-files.ts';
import { commandLine } from './arguments.ts';
import type { ComponentPod } from './component-pod.ts';

const localHost = '127.0.0.1';

/** kube-proxy; comes to the API server as the node that it runs on. */
export function proxyPod({ cluster, local }: Pick<InitConfiguration, 'cluster' | 'local'>, folders: Folders): ComponentPod {
  const kubeconfig = join(folders.kubernetes, 'kubelet.conf');
  const { podSubnet } = cluster.networking;
  return {
    name: 'kube-proxy',
    image: `${cluster.imageRepository}/kube-proxy:${cluster.kubernetesVersion}`,
    command: commandLine('kube-proxy', {
      'hostname-override': local.node.name,
      kubeconfig,
      ...(podSubnet === '' ? {} : { 'cluster-cidr': podSubnet, 'node-routes': 'auto' }),
    }),
    cpu: '50m',
    probe: { host: localHost, port: 10_256, scheme: 'HTTP', live: '/healthz' },
    mounts: { kubeconfig: { path: kubeconfig, type: 'FileOrCreate' } },
  };
}

export function dnsPod({ cluster, local }: InitConfiguration, folders: Folders): ComponentPod {
  const kubeconfig = join(folders.kubernetes, 'dns.conf');
  const { podSubnet, serviceSubnet, dnsDomain } = cluster.networking;
  return {
    name: 'coxswain-dns',
    image: `${cluster.imageRepository}/coxswain-dns:${cluster.kubernetesVersion}`,
    command: commandLine('coxswain-dns', {
      'cluster-domain': dnsDomain,
      kubeconfig,
      'node-ip': local.advertiseAddress,
      'service-ip': dnsAddress(serviceSubnet),
      ...(podSubnet === '' ? {} : { 'cluster-cidr': podSubnet }),
    }),
    cpu: '50m',
    probe: { host: local.advertiseAddress, port: 10_053, scheme: 'HTTP', live: '/' },
    mounts: { kubeconfig: { path: kubeconfig, type: 'FileOrCreate' } },
  };
}
