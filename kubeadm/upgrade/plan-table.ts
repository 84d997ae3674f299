// `kubeadm upgrade plan`: what runs now and what this kubeadm would bring.
import { type Node, node } from '#api/core/node/node.ts';
import { UsageError } from '#base/lifecycle.ts';
import { clusterText, yamlOf } from '../config/document.ts';
import { textTable } from '../text-table.ts';
import { kubeadmVersion } from './flags.ts';
import type { UpgradeJob } from './upgrade-job.ts';

interface ComponentPlan {
  readonly name: string;
  readonly currentVersion: string;
  readonly newVersion: string;
  readonly nodeName?: string;
}

const controlPlane = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coxswain-dns'];

/** Prints the plan as text, JSON or YAML. */
export async function showPlan(job: UpgradeJob, output: string): Promise<void> {
  if (!['text', 'json', 'yaml'].includes(output))
    throw new UsageError(`invalid output format ${JSON.stringify(output)}: must be text, json or yaml`);
  const { host } = job;
  const say = output === 'text' ? host.print : host.warn;
  say('[preflight] Running pre-flight checks.\n');
  const { kubernetesVersion } = await job.cluster();
  if (job.options.printsConfig) say(clusterText((await job.node()).config.cluster));
  say('[upgrade] Running cluster health checks\n');
  const { gitVersion } = (await job.client().raw('GET', '/version', undefined, host.signal)) as { gitVersion: string };
  const { items } = await job.client().list(node, {}, host.signal);
  say(`[upgrade/versions] Cluster version: ${kubernetesVersion}\n[upgrade/versions] kubeadm version: ${kubeadmVersion}\n`);
  const target = job.options.target ?? kubeadmVersion;
  const plan = { own: controlPlaneOf(gitVersion, target), kubelets: kubeletsOf(items, target) };
  const isNew = [...plan.own, ...plan.kubelets].every(({ currentVersion }) => withoutCount(currentVersion) === target);
  if (output !== 'text') return host.print(documentOf(isNew ? [] : [...plan.kubelets, ...plan.own], target, output));
  if (isNew) return host.print(`[upgrade/versions] Target version: ${target}\n\nAwesome, you're up-to-date! Enjoy!\n`);
  host.print(textOf(plan, target));
}

function controlPlaneOf(running: string, target: string): readonly ComponentPlan[] {
  return controlPlane.map((name) => ({ name, currentVersion: running, newVersion: target }));
}

function kubeletsOf(nodes: readonly Node[], target: string): readonly ComponentPlan[] {
  return nodes.map(({ metadata, status }) => ({
    name: 'kubelet',
    currentVersion: status?.nodeInfo?.kubeletVersion ?? '',
    newVersion: target,
    nodeName: metadata.name ?? '',
  }));
}

function withoutCount(text: string): string {
  return text.replace(/\+.*$/, '');
}

function textOf(
  { own, kubelets }: { readonly own: readonly ComponentPlan[]; readonly kubelets: readonly ComponentPlan[] },
  target: string,
): string {
  const table = (rows: readonly ComponentPlan[]): string =>
    textTable([
      ['COMPONENT', 'NODE', 'CURRENT', 'TARGET'],
      ...rows.map(({ name, nodeName = '', currentVersion, newVersion }) => [name, nodeName, currentVersion, newVersion]),
    ]);
  return `
Components that must be upgraded manually after you have upgraded the control plane with 'kubeadm upgrade apply':
${table(kubelets)}
Upgrade to the version that this kubeadm brings:

${table(own)}
You can now apply the upgrade by executing the following command:

\tkubeadm upgrade apply ${target}

_____________________________________________________________________

`;
}

function documentOf(components: readonly ComponentPlan[], target: string, output: string): string {
  const document = {
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    kind: 'UpgradePlan',
    availableUpgrades: components.length === 0 ? [] : [{ description: target, components }],
    configVersions: [
      { group: 'kubelet.config.k8s.io', currentVersion: 'v1beta1', preferredVersion: 'v1beta1', manualUpgradeRequired: false },
    ],
  };
  return output === 'json' ? `${JSON.stringify(document, null, 4)}\n` : yamlOf(document);
}
