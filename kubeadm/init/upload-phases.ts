// The phases that leave in the cluster what later joins and upgrades need.
import { configMap } from '#api/core/config-map.ts';
import { put } from '../cluster/put.ts';
import { bootstrappers, grantInNamespace, mayRead, nodesGroup } from '../cluster/rights.ts';
import { uploadCertificates } from '../cluster/uploaded-certificates.ts';
import { clusterText } from '../config/document.ts';
import { kubeletConfigurationText } from '../kubelet/kubelet-files.ts';
import type { Phase } from '../phase.ts';
import type { InitJob, InitPhase, NodeJob } from './phase.ts';

const namespace = 'kube-system';

export const uploadConfig: Phase<NodeJob> = {
  name: 'upload-config',
  about: 'Upload the kubeadm and kubelet configuration to a ConfigMap',
  parts: [
    { name: 'kubeadm', about: 'Upload the kubeadm ClusterConfiguration to a ConfigMap', run: uploadClusterConfiguration },
    { name: 'kubelet', about: 'Upload the kubelet component config to a ConfigMap', run: uploadKubeletConfiguration },
  ],
};

export const uploadCerts: InitPhase = {
  name: 'upload-certs',
  about: 'Upload certificates to kubeadm-certs',
  run: uploadSharedCertificates,
};

async function uploadClusterConfiguration(job: NodeJob): Promise<void> {
  const name = 'kubeadm-config';
  job.host.print(`[upload-config] Storing the configuration used in ConfigMap "${name}" in the "${namespace}" Namespace\n`);
  await uploadReadable(job, {
    name,
    role: 'kubeadm:nodes-kubeadm-config',
    data: { ClusterConfiguration: clusterText(job.config.cluster) },
  });
}

async function uploadKubeletConfiguration(job: NodeJob): Promise<void> {
  const name = 'kubelet-config';
  job.host.print(
    `[kubelet] Creating a ConfigMap "${name}" in namespace ${namespace} with the configuration for the kubelets in the cluster\n`,
  );
  await uploadReadable(job, { name, role: 'kubeadm:kubelet-config', data: { kubelet: kubeletConfigurationText(job.config.cluster) } });
}

interface Readable {
  readonly name: string;
  /** Lets nodes, and hosts that become nodes, read it. */
  readonly role: string;
  readonly data: Record<string, string>;
}

async function uploadReadable(job: NodeJob, { name, role, data }: Readable): Promise<void> {
  if (job.isDryRun) return;
  const grant = { client: job.client(), host: job.host };
  await put(grant.client, configMap, { metadata: { name, namespace }, data }, job.host);
  await grantInNamespace(grant, namespace, role, [mayRead('configmaps', name)], { groups: [bootstrappers, nodesGroup] });
}

async function uploadSharedCertificates({ flags, folders, host, config, certificateKey: key, isDryRun, client }: InitJob): Promise<void> {
  if (!flags['upload-certs']) {
    host.print('[upload-certs] Skipping phase. Please see --upload-certs\n');
    return;
  }
  host.print(`[upload-certs] Storing the certificates in Secret "kubeadm-certs" in the "${namespace}" Namespace\n`);
  const { cluster } = config;
  if (!isDryRun) await uploadCertificates({ client: client(), host, folder: folders.certificates, cluster, key });
  if (!flags['skip-certificate-key-print']) host.print(`[upload-certs] Using certificate key:\n${key}\n`);
}
