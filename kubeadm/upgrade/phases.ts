// The phases of `kubeadm upgrade apply` and `kubeadm upgrade node`. Words and order as upstream's (cmd/kubeadm/app/cmd/phases/upgrade).
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { node } from '#api/core/node/node.ts';
import { UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { isExternal, renew, renewables } from '../certs/renewable.ts';
import { clusterText, yamlOf } from '../config/document.ts';
import { confirm } from '../confirm.ts';
import { allowBootstrap, controlPlaneLabels } from '../init/cluster-phases.ts';
import { etcdVersion } from '../init/control-plane-phases.ts';
import { admitProxies, installDns } from '../init/node-phases.ts';
import type { NodeJob } from '../init/phase.ts';
import { uploadConfig } from '../init/upload-phases.ts';
import { type ComponentPod, podOf, writeManifest } from '../manifests/component-pod.ts';
import type { Phase } from '../phase.ts';
import { type Check, isPrivilegedUser } from '../preflight/checks.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { runChecks } from '../preflight/run.ts';
import { kubeadmVersion } from './flags.ts';
import { newPods, newProxyPod } from './new-pods.ts';
import { replaceStaticPods } from './static-pods.ts';
import { unifiedDiff } from './unified-diff.ts';
import type { UpgradeJob } from './upgrade-job.ts';
import { versionProblems } from './versions.ts';

const dayMs = 86_400_000;
const manifestNames = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
/** Certificates and kubeconfigs by the component that uses them. */
const certificatesOf: Readonly<Record<string, readonly string[]>> = {
  etcd: ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'],
  'kube-apiserver': ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'apiserver-etcd-client'],
  'kube-controller-manager': ['controller-manager.conf'],
  'kube-scheduler': ['scheduler.conf'],
  'coxswain-dns': ['dns.conf'],
  people: ['admin.conf', 'super-admin.conf'],
};

const kubeletConfig: Phase<UpgradeJob> = {
  name: 'kubelet-config',
  about: 'Upgrade the kubelet configuration for this node',
  run: writeKubeletConfiguration,
};
const addon: Phase<UpgradeJob> = {
  name: 'addon',
  about: 'Upgrade the default kubeadm addons',
  parts: [
    { name: 'coredns', about: 'Upgrade the CoreDNS addon', run: upgradeDns },
    { name: 'kube-proxy', about: 'Upgrade the kube-proxy addon', run: upgradeProxy },
  ],
};
const postUpgrade: Phase<UpgradeJob> = { name: 'post-upgrade', about: 'Run post upgrade tasks', run: printRemainingSteps };

export const applyPhases: readonly Phase<UpgradeJob>[] = [
  { name: 'preflight', about: 'Run preflight checks before upgrade', run: preflightOfApply },
  { name: 'control-plane', about: 'Upgrade the control plane', run: upgradeControlPlane },
  {
    name: 'upload-config',
    about: 'Upload the kubeadm and kubelet configurations to ConfigMaps',
    parts: (uploadConfig.parts ?? []).map(({ name, about, run }) => ({ name, about, run: async (job) => run?.(await job.node()) })),
  },
  kubeletConfig,
  {
    name: 'bootstrap-token',
    about: 'Configures bootstrap token and cluster-info RBAC rules',
    run: async (job) => allowBootstrap(await job.node()),
  },
  addon,
  postUpgrade,
];

export const nodePhases: readonly Phase<UpgradeJob>[] = [
  { name: 'preflight', about: 'Run upgrade node pre-flight checks', run: preflightOfNode },
  { name: 'control-plane', about: 'Upgrade the control plane instance deployed on this node, if any', run: upgradeControlPlane },
  kubeletConfig,
  addon,
  postUpgrade,
];

async function preflightOfNode(job: UpgradeJob): Promise<void> {
  const { host, options } = job;
  host.print('[upgrade/preflight] Running pre-flight checks\n');
  await runChecks([isPrivilegedUser], hostFacts(host.env, ''), options.ignoredErrors, host);
  await job.cluster();
}

async function preflightOfApply(job: UpgradeJob): Promise<void> {
  const { host, options } = job;
  const cluster = await job.cluster();
  host.print('[upgrade/preflight] Running preflight checks\n');
  await runChecks([isPrivilegedUser], hostFacts(host.env, ''), options.ignoredErrors, host);
  host.print('[upgrade] Running cluster health checks\n');
  await runChecks([nodesReady(job), manifestsThere(job)], hostFacts(host.env, ''), options.ignoredErrors, host);
  const target = await job.target();
  host.print(`[upgrade/preflight] You have chosen to upgrade the cluster version to ${JSON.stringify(target)}\n`);
  host.print(`[upgrade/versions] Cluster version: ${cluster.kubernetesVersion}\n[upgrade/versions] kubeadm version: ${kubeadmVersion}\n`);
  const { items } = await job.client().list(node, {}, host.signal);
  const kubelets = items.map(({ status }) => status?.nodeInfo?.kubeletVersion ?? '');
  refuseVersion(versionProblems({ target, cluster: cluster.kubernetesVersion, kubeadm: kubeadmVersion, kubelets }), job);
  if (options.printsConfig) host.print(clusterText((await job.node()).config.cluster));
  if (options.asks && !options.isForced && !options.isDryRun) {
    const refusal = "won't proceed; the user didn't answer (Y|y) in order to continue";
    await confirm(host, '[upgrade] Are you sure you want to proceed? [y/N]: ', refusal);
  }
}

function nodesReady(job: UpgradeJob): Check {
  return {
    name: 'ControlPlaneNodesReady',
    look: async () => {
      const [label = ''] = controlPlaneLabels;
      const { items } = await job.client().list(node, { labelSelector: label }, job.host.signal);
      const isReady = ({ status }: (typeof items)[number]): boolean =>
        (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
      const bad = items.filter((one) => !isReady(one)).map(({ metadata }) => metadata.name);
      return { errors: bad.length === 0 ? [] : [`there are NotReady control-planes in the cluster: [${bad.join(' ')}]`] };
    },
  };
}

function manifestsThere(job: UpgradeJob): Check {
  const { manifests } = job.folders();
  const missing = manifestNames.map((name) => join(manifests, `${name}.yaml`)).filter((path) => !existsSync(path));
  return {
    name: 'StaticPodManifest',
    look: () => ({
      errors: missing.length === 0 ? [] : [`couldn't find the static pod manifests of this control plane: ${missing.join(', ')}`],
    }),
  };
}

function refuseVersion({ fatal, skippable }: ReturnType<typeof versionProblems>, { options, host }: UpgradeJob): void {
  const list = (lines: readonly string[]): string => lines.map((line) => `\t- ${line}\n`).join('');
  if (fatal.length > 0) {
    throw new UsageError(
      `the version argument is invalid due to these fatal errors:\n\n${list(fatal)}\nPlease fix the misalignments highlighted above and try upgrading again`,
      { exitCode: 1 },
    );
  }
  if (skippable.length === 0) return;
  if (!options.isForced) {
    throw new UsageError(
      `the version argument is invalid due to these errors:\n\n${list(skippable)}\nCan be bypassed if you pass the --force flag`,
      { exitCode: 1 },
    );
  }
  host.print(
    `[upgrade/versions] Found ${skippable.length} potential version compatibility errors but skipping since the --force flag is set: \n\n${list(skippable)}`,
  );
}

async function upgradeControlPlane(job: UpgradeJob): Promise<void> {
  const { host, options, command } = job;
  if (!job.isControlPlane) return host.print('[upgrade/control-plane] Skipping phase. Not a control plane node.\n');
  const made = await job.node();
  const { cluster } = made.config;
  const pods = newPods(made, 'local' in cluster.etcd && options.upgradesEtcd ? etcdVersion() : undefined);
  const what =
    command === 'apply'
      ? `your static Pod-hosted control plane to version ${JSON.stringify(await job.target())}`
      : 'the control plane instance for this node';
  if (options.isDryRun) {
    host.print(`[dryrun] Would upgrade ${what}\n`);
    for (const pod of pods) showDifference(pod, job, made);
    return;
  }
  host.print(`[upgrade] Upgrading ${what}...\n`);
  if (pods.some(({ name }) => name === 'etcd') && 'local' in cluster.etcd) backUpEtcd(cluster.etcd.local.dataDir, job);
  const renewIts = (name: string): Promise<void> => renewCertificates(name, job, made);
  await replaceStaticPods(
    pods.map((pod) => ({ pod, renew: () => renewIts(pod.name) })),
    {
      manifests: made.folders.manifests,
      temporary: job.temporary,
      patches: made.patches,
      running: job.running,
      limitMs: options.timeouts.upgradeManifests,
      host,
    },
  );
  await renewIts('people');
  host.print('[upgrade/control-plane] The control plane instance for this node was successfully upgraded!\n');
}

/** What would change in a manifest, for a dry run and `upgrade diff`. */
export function showDifference(pod: ComponentPod, { host, options }: UpgradeJob, { folders, patches }: NodeJob): void {
  const path = join(folders.manifests, `${pod.name}.yaml`);
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  host.print(unifiedDiff(old, yamlOf(patches.apply(pod.name, podOf(pod))), { from: path, to: 'new manifest' }, options.contextLines));
}

function backUpEtcd(dataDir: string, { temporary, host }: UpgradeJob): void {
  const backup = join(temporary, `kubeadm-backup-etcd-${new Date(host.clock.nowMs()).toISOString().slice(0, 19).replaceAll(':', '-')}`);
  host.print(`[upgrade/etcd] Backing up the data of etcd to ${JSON.stringify(backup)}\n`);
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  cpSync(dataDir, backup, { recursive: true });
}

async function renewCertificates(user: string, { options, host }: UpgradeJob, { folders, config }: NodeJob): Promise<void> {
  if (!options.renewsCertificates) return;
  const place = { certFolder: folders.certificates, kubeconfigFolder: folders.kubernetes };
  const its = renewables.filter((what) => certificatesOf[user]?.includes(what.name) === true && what.exists(place));
  for (const what of its) {
    if (isExternal(what.ca, place)) {
      host.print(`[upgrade/staticpods] External CA detected, ${what.name} certificate can't be renewed\n`);
      continue;
    }
    host.print(`[upgrade/staticpods] Renewing ${what.name} certificate\n`);
    await renew(what, place, { nowMs: host.clock.nowMs(), validDays: config.cluster.certificateValidityMs / dayMs });
  }
}

async function writeKubeletConfiguration(job: UpgradeJob): Promise<void> {
  const { host, patches, options, temporary } = job;
  const path = join(job.folders().kubelet, 'config.yaml');
  const text = patches.applyToText('kubeletconfiguration', await job.kubeletConfiguration());
  if (options.isDryRun) return host.print(`[dryrun] Would write the kubelet configuration to ${JSON.stringify(path)}\n`);
  if (existsSync(path)) {
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    const backup = join(mkdtempSync(join(temporary, 'kubeadm-kubelet-config')), 'config.yaml');
    host.print(`[upgrade] Backing up kubelet config file to ${backup}\n`);
    copyFileSync(path, backup);
  }
  host.print(`[kubelet-start] Writing kubelet configuration to file ${JSON.stringify(path)}\n`);
  writeFileAtomically(path, text, 0o644);
  host.print('[upgrade/kubelet-config] The kubelet configuration for this node was successfully upgraded!\n');
}

async function upgradeDns(job: UpgradeJob): Promise<void> {
  if (!job.isControlPlane) return job.host.print('[upgrade/addon] Skipping the addon/coredns phase. Not a control plane node.\n');
  if (job.options.isDryRun) return job.host.print('[dryrun] Would apply essential addon: CoreDNS\n');
  const made = await job.node();
  await renewCertificates('coxswain-dns', job, made);
  await installDns(made);
}

/** Every host has the manifest of its own proxy. */
async function upgradeProxy(job: UpgradeJob): Promise<void> {
  const made = await job.node();
  const pod = newProxyPod(made);
  if (job.options.isDryRun) return showDifference(pod, job, made);
  writeManifest(made.folders.manifests, pod);
  if (job.isControlPlane) await admitProxies(made);
  job.host.print('[addons] Applied essential addon: kube-proxy\n');
}

async function printRemainingSteps(job: UpgradeJob): Promise<void> {
  const { host, options, command } = job;
  if (options.isDryRun) return host.print('[dryrun] Finished dryrunning successfully!\n');
  const restart =
    "Restart 'coxswain node' (systemctl restart coxswain-node), so that the kubelet and all components run the program that is installed now.";
  if (command === 'apply') {
    host.print(`\n[upgrade] SUCCESS! A control plane node of your cluster was upgraded to ${JSON.stringify(await job.target())}.\n\n`);
    host.print(`[upgrade] ${restart}\n[upgrade] Now please proceed with upgrading the rest of the nodes by following the right order.\n`);
  } else host.print(`[upgrade] The configuration for this node was successfully updated!\n[upgrade] ${restart}\n`);
}
