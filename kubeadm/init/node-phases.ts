// The phases that bring the node and the add-ons to their final state.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { dnsPublisherRole, dnsPublisherRules, dnsReaderRole, dnsReaderRules, dnsUser } from '../cluster/dns-rights.ts';
import { bindClusterRole, type Grant, grantEverywhere, grantInNamespace, nodesGroup } from '../cluster/rights.ts';
import { dnsKubeconfig, signKubeconfig } from '../kubeconfig/kubeconfigs.ts';
import { dnsPod, proxyPod } from '../manifests/add-ons.ts';
import { writeManifest } from '../manifests/component-pod.ts';
import type { InitJob, InitPhase, NodeJob } from './phase.ts';

/** The kubelet's own certificate and key, both in one file, which it replaces when it rotates them. */
const kubeletClientFile = '/var/lib/kubelet/pki/kubelet-client-current.pem';

export const kubeletFinalize: InitPhase = {
  name: 'kubelet-finalize',
  about: 'Updates settings relevant to the kubelet after TLS bootstrap',
  parts: [
    {
      name: 'enable-client-cert-rotation',
      about: 'Enable kubelet client certificate rotation',
      run({ config, shown, host, isDryRun }) {
        const path = join(shown.kubernetes, 'kubelet.conf');
        if (!existsSync(kubeletClientFile) && !isDryRun) {
          host.print('[kubelet-finalize] Kubelet client certificate is not on disk yet: kubelet.conf keeps its own\n');
          return;
        }
        host.print(`[kubelet-finalize] Updating ${JSON.stringify(path)} to point to a rotatable kubelet client certificate and key\n`);
        if (isDryRun) return;
        const { server, ca = '' } = findEndpoint({ path, env: {} });
        const { clusterName } = config.cluster;
        const user = `system:node:${config.local.node.name}`;
        const credentials = { kind: 'certificate-files', certFile: kubeletClientFile, keyFile: kubeletClientFile } as const;
        writeFileAtomically(path, kubeconfigText({ name: `${user}@${clusterName}`, clusterName, userName: user, server, ca, credentials }));
      },
    },
  ],
};

export const addon: InitPhase = {
  name: 'addon',
  about: 'Install required addons for passing conformance tests',
  parts: [
    {
      name: 'coredns',
      about: 'Install the DNS addon to a Kubernetes cluster',
      run: installDns,
    },
    {
      name: 'kube-proxy',
      about: 'Install the kube-proxy addon to a Kubernetes cluster',
      async run(job) {
        writeManifest(job.folders.manifests, proxyPod(job.config, job.shown));
        await admitProxies(job);
        job.host.print('[addons] Applied essential addon: kube-proxy\n');
      },
    },
  ],
};

/** The DNS server of this control plane, and its rights. */
export async function installDns(job: NodeJob): Promise<void> {
  await writeDnsFiles(job);
  if (!job.isDryRun) await grantToDns({ client: job.client(), host: job.host });
  job.host.print('[addons] Applied essential addon: CoreDNS\n');
}

/** kube-proxy runs beside the kubelet of every node, and as that node. */
export async function admitProxies({ client, host, isDryRun }: NodeJob): Promise<void> {
  if (isDryRun) return;
  await bindClusterRole({ client: client(), host }, 'kubeadm:node-proxier', 'system:node-proxier', { groups: [nodesGroup] });
}

async function grantToDns(grant: Grant): Promise<void> {
  const users = { users: [dnsUser] };
  await grantEverywhere(grant, dnsReaderRole, [...dnsReaderRules], users);
  await grantInNamespace(grant, 'kube-system', dnsPublisherRole, [...dnsPublisherRules], users);
}

/** The DNS server's manifest and kubeconfig on a control plane. */
export async function writeDnsFiles({
  config,
  folders,
  shown,
  host,
}: Pick<InitJob, 'config' | 'folders' | 'shown' | 'host'>): Promise<void> {
  if (!existsSync(join(folders.kubernetes, dnsKubeconfig.file))) {
    await signKubeconfig(dnsKubeconfig, { config, certFolder: folders.certificates, folder: folders.kubernetes, host });
  }
  writeManifest(folders.manifests, dnsPod(config, shown));
}
