// The steps of `kubeadm join`, in order. Each may be repeated after a failure: what is there is kept.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { endpoints } from '#api/core/endpoints.ts';
import { node } from '#api/core/node/node.ts';
import { hasReason } from '#api/meta/status.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { createAllCertificates } from '../certs/create.ts';
import { NotYet, patiently } from '../cluster/put.ts';
import { downloadCertificates, sharedFiles } from '../cluster/uploaded-certificates.ts';
import { startHostAgent } from '../host-agent.ts';
import { markNode } from '../init/cluster-phases.ts';
import { controlPlanePods } from '../init/control-plane-phases.ts';
import { writeDnsFiles } from '../init/node-phases.ts';
import { createKubeconfig, kubeconfigs } from '../kubeconfig/kubeconfigs.ts';
import { writeKubeletFiles } from '../kubelet/kubelet-files.ts';
import { proxyPod } from '../manifests/add-ons.ts';
import { writeManifest } from '../manifests/component-pod.ts';
import { cgroupDriver, initChecks, isPrivilegedUser, joinChecks } from '../preflight/checks.ts';
import { runChecks } from '../preflight/run.ts';
import { joinEtcd } from './etcd-join.ts';
import type { JoinJob } from './join-job.ts';

export interface JoinStep {
  readonly name: string;
  readonly for: 'all' | 'control-planes';
  run(job: JoinJob): Promise<void>;
}

export const joinSteps: readonly JoinStep[] = [
  { name: 'preflight', for: 'all', run: preflight },
  { name: 'control-plane-prepare', for: 'control-planes', run: prepareControlPlane },
  { name: 'kubelet-start', for: 'all', run: startKubelet },
  { name: 'etcd-join', for: 'control-planes', run: joinEtcd },
  { name: 'kubelet-wait-bootstrap', for: 'all', run: waitForKubelet },
  {
    name: 'control-plane-join',
    for: 'control-planes',
    run: (job) =>
      markNode({ host: job.host, client: () => job.adminClient(), timeouts: job.config.timeouts }, job.config.local, job.config),
  },
  { name: 'wait-control-plane', for: 'control-planes', run: waitForControlPlane },
];

async function preflight(job: JoinJob): Promise<void> {
  const { config, facts, folders, host } = job;
  host.print('[preflight] Running pre-flight checks\n');
  await runChecks([isPrivilegedUser], facts, config.ignoredErrors, host);
  const isControlPlane = config.controlPlane !== undefined;
  const place = { kubernetes: folders.kubernetes, caFile: isControlPlane ? undefined : config.caFile };
  await runChecks(joinChecks(config.local.node.name, place), facts, config.ignoredErrors, host);
  const init = await job.initConfiguration();
  const { cgroupDriver: driver } = (parse(await job.kubeletConfiguration()) ?? {}) as { cgroupDriver?: unknown };
  await runChecks([cgroupDriver(driver)], facts, config.ignoredErrors, host);
  if (!isControlPlane) return;
  if (init.cluster.controlPlaneEndpoint === '') {
    throw new UsageError(
      "one or more conditions for hosting a new control plane instance is not satisfied.\n\nunable to add a new control plane instance to a cluster that doesn't have a stable controlPlaneEndpoint address\n\nPlease ensure that:\n* The cluster has a stable controlPlaneEndpoint address.\n* The certificates that must be shared among control plane instances are provided.",
      { exitCode: 1 },
    );
  }
  host.print('[preflight] Running pre-flight checks before initializing the new control plane instance\n');
  await runChecks(
    initChecks(init, folders).filter(({ name }) => !alreadyLooked.test(name)),
    facts,
    config.ignoredErrors,
    host,
  );
}

/** Checks that a node's preflight made already. */
const alreadyLooked = /^(CRI|Swap|SystemVerification|Hostname|NodePorts|Port-10250|FileExisting-|FileContent-)/;

async function prepareControlPlane(job: JoinJob): Promise<void> {
  const { config, folders, shown, host, patches } = job;
  const init = await job.initConfiguration();
  const place = { host, folder: folders.certificates, cluster: init.cluster };
  const key = config.controlPlane?.certificateKey ?? '';
  if (key !== '') {
    host.print('[download-certs] Downloading the certificates in Secret "kubeadm-certs" in the "kube-system" Namespace\n');
    host.print(`[download-certs] Saving the certificates to the folder: ${JSON.stringify(shown.certificates)}\n`);
    await downloadCertificates({ ...place, client: await job.bootstrapClient(), key });
  }
  const absent = Object.values(sharedFiles(init.cluster, folders.certificates)).filter((path) => path !== '' && !existsSync(path));
  if (absent.length > 0) {
    throw new UsageError(
      `failure loading certificates that control planes share: ${absent.join(', ')}: give --certificate-key, or copy them from another control plane`,
      { exitCode: 1 },
    );
  }
  host.print(`[certs] Using certificateDir folder ${JSON.stringify(shown.certificates)}\n`);
  await createAllCertificates({ config: init, folder: folders.certificates, host });
  host.print('[kubeconfig] Generating kubeconfig files\n');
  host.print(`[kubeconfig] Using kubeconfig folder ${JSON.stringify(shown.kubernetes)}\n`);
  for (const spec of kubeconfigs.filter(({ phase }) => ['admin', 'controller-manager', 'scheduler'].includes(phase))) {
    await createKubeconfig(spec, { config: init, certFolder: folders.certificates, folder: folders.kubernetes, host });
  }
  host.print(`[control-plane] Using manifest folder ${JSON.stringify(shown.manifests)}\n`);
  for (const pod of controlPlanePods(init, shown, folders)) {
    host.print(`[control-plane] Creating static Pod manifest for ${JSON.stringify(pod.name)}\n`);
    writeManifest(folders.manifests, pod, patches);
  }
}

async function startKubelet(job: JoinJob): Promise<void> {
  const { config, folders, shown, host, patches } = job;
  const { server, ca } = await job.found();
  const { name } = config.local.node;
  await refuseReadyNode(job, name);
  const caFile = join(folders.certificates, basename(config.caFile));
  if (!existsSync(caFile)) writeFileAtomically(caFile, ca, 0o644);
  const { clusterName, networking } = await job.cluster();
  const userName = 'tls-bootstrap-token-user';
  const credentials = { kind: 'token', token: config.tlsBootstrapToken } as const;
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

async function waitForKubelet({ folders, host, config }: JoinJob): Promise<void> {
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

async function waitForControlPlane(job: JoinJob): Promise<void> {
  const { host, config } = job;
  const { advertiseAddress } = config.local;
  const patienceMs = config.timeouts.controlPlaneComponentHealthCheck;
  host.print(`[wait-control-plane] Waiting for the API server of this host. This can take up to ${formatDuration(patienceMs)}\n`);
  if (config.isDryRun) return;
  await patiently({ ...host, patienceMs }, async () => {
    const found = await job.adminClient().get(endpoints, { namespace: 'default', name: 'kubernetes' }, host.signal);
    const isThere = (found.subsets ?? []).some(({ addresses = [] }) => addresses.some(({ ip }) => ip === advertiseAddress));
    if (!isThere) throw new NotYet(`${advertiseAddress} is no endpoint of the kubernetes Service`);
  });
}
