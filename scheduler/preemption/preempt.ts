// Where a pod could go if less important ones went (upstream's pkg/scheduler/framework/preemption). Deciding only: pods are taken off
// nodes to try, and are all back when it answers.
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { ClusterView } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Prepared, Profile } from '../framework/profile.ts';
import { byImportance, leastLoss, type Victims, violating } from './victims.ts';

interface PreemptionInput {
  readonly profile: Profile;
  readonly pod: PodInfo;
  readonly cluster: ClusterView;
  readonly prepared: readonly Prepared[];
  /** Nodes that turned the pod away for now. */
  readonly nodes: readonly NodeInfo[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly random: () => number;
  /** Why the pod does not fit on the node as things are; undefined where it does. */
  readonly rejection: (node: NodeInfo, prepared: readonly Prepared[]) => readonly string[] | undefined;
}

export type Preemption =
  | { readonly kind: 'victims'; readonly nodeName: string; readonly pods: readonly PodInfo[] }
  /** Room is being made already. */
  | { readonly kind: 'waits' }
  /** Why not, over the nodes that were tried. */
  | { readonly kind: 'none'; readonly reasons: ReadonlyMap<string, number> };

const minCandidates = 100;
const candidateShare = 0.1;
/**
 * For a pod with inter-pod affinity all bound pods are looked at in each try, where upstream counts on; so that a large cluster
 * does not stand still, there are fewer tries and fewer nodes to choose from.
 */
const costlyLimits = { candidates: 10, tries: 200 };
const noVictims = 'No preemption victims found for incoming pod';

/** Throws only where a plugin does; even then every pod is back in its place. */
export function findPreemption(input: PreemptionInput): Preemption {
  const { pod, nodes, cluster, random } = input;
  if (isWaiting(pod, cluster)) return { kind: 'waits' };
  const limits = isCostly(pod) ? costlyLimits : { candidates: Infinity, tries: Infinity };
  const enough = Math.min(limits.candidates, Math.max(minCandidates, Math.floor(cluster.nodes.length * candidateShare)));
  let triesLeft = limits.tries;
  const start = Math.floor(random() * nodes.length);
  const reasons = new Map<string, number>();
  const candidates: Victims[] = [];
  for (let at = 0; at < nodes.length && candidates.length < enough && triesLeft > 0; at++) {
    const node = nodes[(start + at) % nodes.length];
    if (node === undefined) continue;
    const found = victimsOn(node, { ...input, rejection: (...args) => (triesLeft--, input.rejection(...args)) });
    if ('pods' in found) candidates.push(found);
    else for (const reason of found.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (candidates.length === 0) return { kind: 'none', reasons };
  const { node, pods } = leastLoss(candidates);
  return { kind: 'victims', nodeName: node.name, pods };
}

/** Its victims are still terminating. */
function isWaiting(pod: PodInfo, cluster: ClusterView): boolean {
  const node = cluster.node(pod.pod.status?.nominatedNodeName ?? '');
  if (node === undefined) return false;
  return [...node.pods.values()].some(
    ({ priority, pod: other }) =>
      priority < pod.priority &&
      other.metadata.deletionTimestamp !== undefined &&
      other.status?.conditions?.some(
        ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
      ) === true,
  );
}

/** Takes all less important pods away, then lets back as many as still leave room: those that budgets keep first. */
function victimsOn(node: NodeInfo, input: PreemptionInput): Victims | { readonly reasons: readonly string[] } {
  const { pod, budgets } = input;
  const lower = byImportance([...node.pods.values()].filter(({ priority }) => priority < pod.priority));
  if (lower.length === 0) return { reasons: [noVictims] };
  const away = new Set(lower);
  const rejection = (): readonly string[] | undefined => input.rejection(node, preparedWithout(away, input));
  for (const { uid } of lower) node.removePod(uid);
  try {
    const reasons = rejection();
    if (reasons !== undefined) return { reasons };
    const broken = violating(lower, budgets);
    let violations = 0;
    for (const one of [...lower.filter((other) => broken.has(other)), ...lower.filter((other) => !broken.has(other))]) {
      away.delete(one);
      node.addPod(one);
      if (rejection() === undefined) continue;
      node.removePod(one.uid);
      away.add(one);
      if (broken.has(one)) violations++;
    }
    return { node, pods: lower.filter((one) => away.has(one)), violations };
  } finally {
    for (const one of away) node.addPod(one);
  }
}

/** What plugins prepared depends on other pods only where affinity or spreading refer to them; the rest is unchanged. */
function preparedWithout(away: ReadonlySet<PodInfo>, { profile, pod, cluster, prepared }: PreemptionInput): readonly Prepared[] {
  if (!isCostly(pod) && cluster.podsWithAffinity()[Symbol.iterator]().next().done === true) return prepared;
  const gone = new Set([...away].map(({ uid }) => uid));
  return profile.prepare(pod, {
    nodes: cluster.nodes,
    node: (name) => cluster.node(name),
    namespaceLabels: (name) => cluster.namespaceLabels(name),
    *podsWithAffinity() {
      for (const placed of cluster.podsWithAffinity()) if (!gone.has(placed.pod.uid)) yield placed;
    },
  });
}

function isCostly({ affinity, pod }: PodInfo): boolean {
  return affinity !== undefined || (pod.spec.topologySpreadConstraints?.length ?? 0) > 0;
}
