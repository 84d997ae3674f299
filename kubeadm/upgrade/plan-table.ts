// `kubeadm upgrade plan`: what runs now and what this kubeadm would bring.
import { node } from '#api/core/node/node.ts';
import { UsageError } from '#base/lifecycle.ts';
import { clusterText, yamlOf } from '../config/document.ts';
import { textTable } from '../text-table.ts';
import { kubeadmVersion } from './flags.ts';
import type { UpgradeJob } from './upgrade-job.ts';
import { isHigher } from './versions.ts';

interface ComponentPlan {
  readonly name: string;
  readonly currentVersion: string;
  readonly newVersion: string;
  readonly nodeName?: string;
}

/** One on each control plane; a host's components and its kubelet are of one installation. */
const ofControlPlanes = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const ofCluster = ['kube-proxy', 'coxswain-dns'];

/** What is known of the cluster, and what it is to be brought to. */
export interface PlanFacts {
  /** Versions of kubelets by node, in order; with those of control planes come their components. */
  readonly nodes: readonly { readonly name: string; readonly isControlPlane: boolean; readonly version: string }[];
  /** What an API server says that it is. */
  readonly running: string;
  readonly target: string;
  readonly kubeadm: string;
}

interface Plan {
  readonly description: string;
  readonly kubelets: readonly ComponentPlan[];
  readonly own: readonly ComponentPlan[];
}

/** Undefined where all is as it would be. */
export function planOf({ nodes, running, target }: PlanFacts): Plan | undefined {
  const controlPlanes = nodes.filter(({ isControlPlane }) => isControlPlane);
  const kubelets = nodes.map(({ name, version }) => ({ name: 'kubelet', currentVersion: version, newVersion: target, nodeName: name }));
  const own = [
    ...ofControlPlanes.flatMap((name) =>
      controlPlanes.map((node) => ({ name, currentVersion: node.version, newVersion: target, nodeName: node.name })),
    ),
    ...ofCluster.map((name) => ({ name, currentVersion: running, newVersion: target })),
  ];
  if ([...kubelets, ...own].every(({ currentVersion }) => withoutCount(currentVersion) === target)) return undefined;
  return { description: descriptionOf(running, target), kubelets, own };
}

/** As upstream calls versions that it looked up. */
function descriptionOf(running: string, target: string): string {
  const minor = (text: string): string => /^v?\d+\.\d+/.exec(text)?.[0] ?? text;
  return minor(running) === minor(target) ? `version in the ${minor(target)} series` : 'stable version';
}

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
  say(`[upgrade/versions] Target version: ${target}\n`);
  const nodes = items.map(({ metadata, status }) => ({
    name: metadata.name ?? '',
    isControlPlane: metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined,
    version: status?.nodeInfo?.kubeletVersion ?? '',
  }));
  const facts = { nodes, running: gitVersion, target, kubeadm: kubeadmVersion };
  host.print(output === 'text' ? planText(facts) : documentOf(planOf(facts), output));
}

function withoutCount(text: string): string {
  return text.replace(/\+.*$/, '');
}

const line = '_'.repeat(69);

/** What people read. */
export function planText(facts: PlanFacts): string {
  const plan = planOf(facts);
  if (plan === undefined) return `\nAwesome, you're up-to-date! Enjoy!\n${configText()}`;
  const { target, kubeadm } = facts;
  const note = `Note: Before you can perform this upgrade, you have to update kubeadm to ${target}.\n\n`;
  return `
Components that must be upgraded manually after you have upgraded the control plane with 'kubeadm upgrade apply':
${componentTable(plan.kubelets)}
Upgrade to the latest ${plan.description}:

${componentTable(plan.own)}
You can now apply the upgrade by executing the following command:

\tkubeadm upgrade apply ${target}

${isHigher(target, kubeadm) ? note : ''}${line}

${configText()}`;
}

function componentTable(rows: readonly ComponentPlan[]): string {
  return textTable([
    ['COMPONENT', 'NODE', 'CURRENT', 'TARGET'],
    ...rows.map(({ name, nodeName = '', currentVersion, newVersion }) => [name, nodeName, currentVersion, newVersion]),
  ]);
}

const configVersions = [
  { group: 'kubelet.config.k8s.io', currentVersion: 'v1beta1', preferredVersion: 'v1beta1', manualUpgradeRequired: false },
];

function configText(): string {
  return `
The table below shows the current state of component configs as understood by this version of kubeadm.
Configs that have a "yes" mark in the "MANUAL UPGRADE REQUIRED" column require manual config upgrade or
resetting to kubeadm defaults before a successful upgrade can be performed. The version to manually
upgrade to is denoted in the "PREFERRED VERSION" column.

${textTable([
  ['API GROUP', 'CURRENT VERSION', 'PREFERRED VERSION', 'MANUAL UPGRADE REQUIRED'],
  ...configVersions.map(({ group, currentVersion, preferredVersion, manualUpgradeRequired }) => [
    group,
    currentVersion,
    preferredVersion,
    manualUpgradeRequired ? 'yes' : 'no',
  ]),
])}${line}

`;
}

function documentOf(plan: Plan | undefined, output: string): string {
  const { description = '', kubelets = [], own = [] } = plan ?? {};
  const document = {
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    kind: 'UpgradePlan',
    availableUpgrades: plan === undefined ? [] : [{ description, components: [...kubelets, ...own] }],
    configVersions,
  };
  return output === 'json' ? `${JSON.stringify(document, null, 4)}\n` : yamlOf(document);
}
