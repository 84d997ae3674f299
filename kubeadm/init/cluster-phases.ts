// The phases that talk to the new cluster's API server.
import { configMap } from '#api/core/config-map.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { hasReason } from '#api/meta/status.ts';
import { formatDuration } from '#base/duration.ts';
import { isAbort, UsageError } from '#base/lifecycle.ts';
import { bindClusterRole, bootstrappers, grantEverywhere, grantInNamespace, mayRead, nodesGroup } from '../cluster/rights.ts';
import { isTransient, patiently, put } from '../cluster/put.ts';
import { clusterUrl, type LocalConfiguration } from '../config/cluster.ts';
import { readCertificate } from '../certs/key-files.ts';
import { logOf } from '../host-agent.ts';
import { tokenText } from '../token/bootstrap-token.ts';
import { storeToken } from '../token/store.ts';
import { clusterInfoText } from './cluster-info.ts';
import type { InitJob, InitPhase, NodeJob } from './phase.ts';

export const waitControlPlane: InitPhase = {
  name: 'wait-control-plane',
  about: 'Wait for the control plane to start',
  run: waitForControlPlane,
};

async function waitForControlPlane(job: InitJob): Promise<void> {
  const { host, shown } = job;
  const { clock, signal } = host;
  const waitMs = job.timeouts.controlPlaneComponentHealthCheck;
  const limit = formatDuration(waitMs);
  host.print(
    `[wait-control-plane] Waiting for the components of directory ${JSON.stringify(shown.manifests)} to start. This can take up to ${limit}\n`,
  );
  if (job.isDryRun) return;
  const startMs = clock.monotonicMs();
  let last = '';
  while (clock.monotonicMs() - startMs < waitMs) {
    try {
      await job.client().raw('GET', '/readyz', undefined, signal);
      host.print(`[api-check] The API server is healthy after ${((clock.monotonicMs() - startMs) / 1_000).toFixed(1)}s\n`);
      await ensureAdmins(job);
      return;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      last = String(error);
    }
    await clock.sleep(200, signal);
  }
  const problem = `the API server is not healthy after ${limit}: ${last} (see ${logOf('kube-apiserver')})`;
  throw new UsageError(`error execution phase wait-control-plane: ${problem}`, { exitCode: 4 });
}

/** Lets the kubeconfig `admin.conf` do all: rights that, other than the super-admin's, can be taken away. */
async function ensureAdmins(job: InitJob): Promise<void> {
  await bindClusterRole({ client: job.client(), host: job.host }, 'kubeadm:cluster-admins', 'cluster-admin', {
    groups: ['kubeadm:cluster-admins'],
  });
}

export const controlPlaneLabels = ['node-role.kubernetes.io/control-plane', 'node.kubernetes.io/exclude-from-external-load-balancers'];

export const markControlPlane: InitPhase = {
  name: 'mark-control-plane',
  about: 'Mark a node as a control-plane',
  run: async (job) => markNode(job, job.config.local, { isDryRun: job.isDryRun }),
};

/** Labels and taints the Node of a control plane, once it is there. */
export async function markNode(
  job: Pick<InitJob, 'client' | 'host' | 'timeouts'>,
  { node: registration }: LocalConfiguration,
  { isDryRun = false } = {},
): Promise<void> {
  const { name, taints = [] } = registration;
  const { host } = job;
  host.print(`[mark-control-plane] Marking the node ${name} as control-plane by adding the labels: [${controlPlaneLabels.join(' ')}]\n`);
  const list = taints.map(({ key, value, effect }) => `${key}${value === undefined ? '' : `=${value}`}:${effect}`);
  host.print(`[mark-control-plane] Marking the node ${name} as control-plane by adding the taints [${list.join(' ')}]\n`);
  if (isDryRun) return;
  const isOurs = ({ key, effect }: { readonly key: string; readonly effect: string }): boolean =>
    taints.some((one) => one.key === key && one.effect === effect);
  await patchNode(job, name, ({ spec }) => ({
    metadata: { labels: Object.fromEntries(controlPlaneLabels.map((label) => [label, ''])) },
    spec: { taints: [...(spec?.taints ?? []).filter((taint) => !isOurs(taint)), ...taints] },
  }));
}

async function patchNode(
  { client: clientOf, host, timeouts }: Pick<InitJob, 'client' | 'host' | 'timeouts'>,
  name: string,
  patchOf: (found: Node) => object,
): Promise<void> {
  const { clock, signal } = host;
  const client = clientOf();
  const startMs = clock.monotonicMs();
  for (;;) {
    try {
      const found = await patiently(host, () => client.get(node, { name }, signal));
      // Guarded: the node's own status and other taints change meanwhile.
      const body = {
        ...patchOf(found),
        metadata: { ...(patchOf(found) as { metadata: object }).metadata, resourceVersion: found.metadata.resourceVersion },
      };
      await client.patch(node, { name }, body, { type: 'merge', fieldManager: 'kubeadm' }, signal);
      return;
    } catch (error) {
      if (!hasReason(error, 'NotFound') && !isTransient(error)) throw error;
      if (clock.monotonicMs() - startMs > timeouts.kubeletHealthCheck) {
        throw new UsageError(`the node ${name} did not appear in time: is its kubelet running?`, { exitCode: 4, cause: error });
      }
    }
    await clock.sleep(200, signal);
  }
}

export const bootstrapToken: InitPhase = {
  name: 'bootstrap-token',
  about: 'Generates bootstrap tokens used to join a node to a cluster',
  run: makeBootstrapTokens,
};

async function makeBootstrapTokens(job: InitJob): Promise<void> {
  const { host, isDryRun } = job;
  const say = (text: string): void => host.print(`[bootstrap-token] ${text}\n`);
  say(`Using token: ${job.tokens.map((token) => (job.flags['skip-token-print'] ? '<value withheld>' : tokenText(token))).join(' ')}`);
  say('Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles');
  if (!isDryRun) for (const token of job.tokens) await storeToken(job.client(), token, host);
  await allowBootstrap(job);
  say('Creating the "cluster-info" ConfigMap in the "kube-public" namespace');
  if (!isDryRun) await publishClusterInfo(job);
}

/** Lets who comes with a bootstrap token become a node, and nodes stay one. */
export async function allowBootstrap(job: NodeJob): Promise<void> {
  const say = (text: string): void => job.host.print(`[bootstrap-token] ${text}\n`);
  say('Configured RBAC rules to allow Node Bootstrap tokens to get nodes');
  say('Configured RBAC rules to allow Node Bootstrap tokens to post CSRs in order for nodes to get long term certificate credentials');
  say('Configured RBAC rules to allow the csrapprover controller automatically approve CSRs from a Node Bootstrap Token');
  say('Configured RBAC rules to allow certificate rotation for all node client certificates in the cluster');
  if (job.isDryRun) return;
  const grant = { client: job.client(), host: job.host };
  const approve = 'system:certificates.k8s.io:certificatesigningrequests';
  const getNodes = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }];
  await grantEverywhere(grant, 'kubeadm:get-nodes', getNodes, { groups: [bootstrappers] });
  await bindClusterRole(grant, 'kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', { groups: [bootstrappers] });
  await bindClusterRole(grant, 'kubeadm:node-autoapprove-bootstrap', `${approve}:nodeclient`, { groups: [bootstrappers] });
  await bindClusterRole(grant, 'kubeadm:node-autoapprove-certificate-rotation', `${approve}:selfnodeclient`, { groups: [nodesGroup] });
}

async function publishClusterInfo(job: InitJob): Promise<void> {
  const grant = { client: job.client(), host: job.host };
  const kubeconfig = clusterInfoText(clusterUrl(job.config), readCertificate(job.folders.certificates, 'ca'));
  const metadata = { name: 'cluster-info', namespace: 'kube-public' };
  await put(grant.client, configMap, { metadata, data: { kubeconfig } }, job.host);
  const everybody = { users: ['system:anonymous'] };
  await grantInNamespace(grant, 'kube-public', 'kubeadm:bootstrap-signer-clusterinfo', [mayRead('configmaps', 'cluster-info')], everybody);
}
