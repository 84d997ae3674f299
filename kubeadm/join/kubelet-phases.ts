// The phases that make a host a node.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { node } from '#api/core/node/node.ts';
import { hasReason } from '#api/meta/status.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { Credentials } from '#client/endpoint.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { patiently } from '../cluster/put.ts';
import { startHostAgent } from '../host-agent.ts';
import { writeDnsFiles } from '../init/node-phases.ts';
import { writeKubeletFiles } from '../kubelet/kubelet-files.ts';
import { proxyPod } from '../manifests/add-ons.ts';
import { writeManifest } from '../manifests/component-pod.ts';
import type { JoinJob } from './join-job.ts';

export async function startKubelet(job: JoinJob): Promise<void> {
  const { config, folders, shown, host, patches } = job;
  const { server, ca } = await job.found();
  const { name } = config.local.node;
  await refuseReadyNode(job, name);
  const caFile = join(folders.certificates, basename(config.caFile));
  if (!existsSync(caFile)) writeFileAtomically(caFile, ca, 0o644);
  const { clusterName, networking } = await job.cluster();
  const userName = 'tls-bootstrap-token-user';
  // What a dry run leaves behind opens nothing.
  const credentials: Credentials = config.isDryRun ? { kind: 'token', token: '<value withheld>' } : await job.bootstrapCredentials();
  const bootstrap = kubeconfigText({ name: `${userName}@${clusterName}`, clusterName, userName, server, ca, credentials });
  writeFileAtomically(join(folders.kubernetes, 'bootstrap-kubelet.conf'), bootstrap);
  const configuration = patches.applyToText('kubeletconfiguration', await job.kubeletConfiguration());
  writeKubeletFiles(
    { folder: folders.kubelet, shown: shown.kubelet, configuration, local: config.local, podSubnet: networking.podSubnet },
    host.print,
  );
  writeManifest(folders.manifests, proxyPod(await job.initConfiguration(), shown));
  if (config.controlPlane !== undefined) await writeDnsFiles({ config: await job.initConfiguration(), folders, shown, host });
  host.print('[kubelet-start] Starting the kubelet\n');
  if (!config.isDryRun) await startHostAgent(host);
}

async function refuseReadyNode(job: JoinJob, name: string): Promise<void> {
  const client = await job.bootstrapClient();
  try {
    const found = await patiently(job.host, () => client.get(node, { name }, job.host.signal));
    const isReady = found.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    if (!isReady) return;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return;
    throw error;
  }
  throw new UsageError(
    `a Node with name ${JSON.stringify(name)} and status "Ready" already exists in the cluster. You must delete the existing Node or change the name of this new joining Node`,
    { exitCode: 1 },
  );
}

export async function waitForKubelet({ folders, host, config }: JoinJob): Promise<void> {
  if (config.isDryRun) return;
  const { clock, signal } = host;
  const limitMs = config.timeouts.tlsBootstrap;
  host.print('[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap\n');
  const path = join(folders.kubernetes, 'kubelet.conf');
  const startMs = clock.monotonicMs();
  while (!existsSync(path)) {
    if (clock.monotonicMs() - startMs > limitMs) {
      throw new UsageError(
        `error execution phase kubelet-wait-bootstrap: the kubelet did not get a certificate within ${formatDuration(limitMs)}: see its log, and kubectl get certificatesigningrequests`,
        { exitCode: 4 },
      );
    }
    await clock.sleep(200, signal);
  }
}
