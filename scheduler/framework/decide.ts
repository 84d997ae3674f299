// One scheduling cycle: which node is best for one pod. Pure: reads the cluster, answers, changes nothing that is seen outside.
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { findPreemption, type Preemption } from '../preemption/preempt.ts';
import { Diagnosis } from './diagnosis.ts';
import type { NodeInfo } from './node-info.ts';
import type { PointStatus } from '../metrics.ts';
import type { ClusterView } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';
import type { Prepared, Profile } from './profile.ts';
import { fits, type Verdict } from './verdict.ts';

interface DecideInput {
  readonly profile: Profile;
  readonly pod: PodInfo;
  readonly cluster: ClusterView;
  /** Where in the list of nodes to begin; the answer says where the next cycle should. */
  readonly startIndex: number;
  /** Pods that wait for room which was made for them, by node: lower ones must leave them that room. */
  readonly nominated?: ReadonlyMap<string, readonly PodInfo[]>;
  /** What limits whom a more important pod may push away; default none. */
  readonly budgets?: () => readonly PodDisruptionBudget[];
  /** Numbers in [0, 1), for ties. */
  readonly random: () => number;
  /** Told whenever all plugins of one point are through. */
  readonly passed?: ((point: 'PreFilter' | 'Filter' | 'Score', status: PointStatus) => void) | undefined;
}

export type Decision =
  | { readonly kind: 'node'; readonly nodeName: string; readonly prepared: readonly Prepared[]; readonly nextIndex: number }
  | {
      readonly kind: 'none';
      readonly message: string;
      readonly rejectedBy: ReadonlySet<string>;
      readonly nextIndex: number;
      /** Whether others could make room; undefined where the pod pushes nobody away. */
      readonly preemption: Preemption | undefined;
    };

const minFeasible = 100;
const minPercentage = 5;

/** Decides for one pod. Throws only where a plugin does. */
export function decide(input: DecideInput): Decision {
  const { profile, pod, cluster, startIndex, passed } = input;
  const total = cluster.nodes.length;
  if (total === 0) {
    const anyNode = new Set(profile.plugins.filter(({ retryOn }) => retryOn.includes('node-added')).map(({ name }) => name));
    return { kind: 'none', message: 'no nodes available to schedule pods', rejectedBy: anyNode, nextIndex: 0, preemption: undefined };
  }
  const prepared = profile.prepare(pod, cluster);
  const diagnosis = new Diagnosis(total);
  const none = (nextIndex: number): Decision => {
    const preemption = pod.pod.spec.preemptionPolicy === 'Never' ? undefined : makeRoom(input, prepared, diagnosis.notNowNodes);
    return { kind: 'none', message: diagnosis.message(preemption ?? 'never'), rejectedBy: diagnosis.rejectedBy, nextIndex, preemption };
  };
  for (const { plugin, state } of prepared) {
    const verdict = plugin.reject?.(state, pod);
    if (verdict === undefined || verdict.kind === 'fits') continue;
    diagnosis.rejectAll(plugin.name, verdict);
    passed?.('PreFilter', verdict.kind === 'notNow' ? 'Unschedulable' : 'UnschedulableAndUnresolvable');
    return none(startIndex);
  }
  passed?.('PreFilter', 'Success');
  const passing = findPassing(input, prepared, diagnosis);
  passed?.('Filter', 'Success');
  const nextIndex = (startIndex + passing.length + diagnosis.rejectedNodes) % total;
  if (passing.length === 0) return none(nextIndex);
  const { name } = best(passing, prepared, input);
  if (passing.length > 1) passed?.('Score', 'Success');
  return { kind: 'node', nodeName: name, prepared, nextIndex };
}

function makeRoom(input: DecideInput, prepared: readonly Prepared[], nodes: readonly NodeInfo[]): Preemption {
  const { profile, pod, cluster, nominated, random, budgets } = input;
  const rejection = (node: NodeInfo, now: readonly Prepared[]): readonly string[] | undefined =>
    firstRejection(node, filtersOf(now), pod, nominated?.get(node.name))?.verdict.reasons;
  return findPreemption({
    profile,
    pod,
    cluster,
    prepared,
    nodes,
    budgets: nodes.length === 0 ? [] : (budgets?.() ?? []),
    random,
    rejection,
  });
}

function filtersOf(prepared: readonly Prepared[]): readonly Prepared[] {
  return prepared.filter(({ plugin, state }) => plugin.filter !== undefined && (plugin.filters?.(state) ?? true));
}

/** How many fitting nodes are enough: all of a small cluster, a shrinking share of a large one (upstream's formula). */
export function enoughNodes(total: number): number {
  if (total < minFeasible) return total;
  const percentage = Math.max(minPercentage, 50 - Math.floor(total / 125));
  return Math.max(minFeasible, Math.floor((total * percentage) / 100));
}

function findPassing(input: DecideInput, prepared: readonly Prepared[], diagnosis: Diagnosis): NodeInfo[] {
  const { pod, cluster, startIndex, nominated } = input;
  const filters = filtersOf(prepared);
  const passing: NodeInfo[] = [];
  const look = (node: NodeInfo): void => {
    const rejection = firstRejection(node, filters, pod, nominated?.get(node.name));
    if (rejection === undefined) passing.push(node);
    else diagnosis.reject(node, rejection.plugin, rejection.verdict);
  };

  // Room was made for this pod somewhere: very likely the only place, so look there alone first.
  const promised = pod.pod.status?.nominatedNodeName;
  const promisedNode = promised === undefined || promised === '' ? undefined : cluster.node(promised);
  if (promisedNode !== undefined && firstRejection(promisedNode, filters, pod, nominated?.get(promisedNode.name)) === undefined) {
    return [promisedNode];
  }

  const narrowed = narrow(prepared, cluster);
  if (narrowed !== undefined) diagnosis.skip(narrowed.plugin, cluster.nodes.length - narrowed.nodes.length);
  const nodes = narrowed?.nodes ?? cluster.nodes;
  const enough = enoughNodes(nodes.length);
  for (let at = 0; at < nodes.length && passing.length < enough; at++) {
    const node = nodes[(startIndex + at) % nodes.length];
    if (node !== undefined) look(node);
  }
  return passing;
}

/** The nodes that plugins named, where any did. */
function narrow(prepared: readonly Prepared[], cluster: ClusterView): { plugin: string; nodes: readonly NodeInfo[] } | undefined {
  for (const { plugin, state } of prepared) {
    const names = plugin.onlyNodes?.(state);
    if (names === undefined) continue;
    const nodes = [...names].map((name) => cluster.node(name)).filter((node) => node !== undefined);
    return { plugin: plugin.name, nodes };
  }
  return undefined;
}

interface Rejection {
  readonly plugin: string;
  readonly verdict: Exclude<Verdict, { kind: 'fits' }>;
}

function firstRejection(
  node: NodeInfo,
  filters: readonly Prepared[],
  pod: PodInfo,
  nominated: readonly PodInfo[] | undefined,
): Rejection | undefined {
  const ahead = nominated?.filter((other) => other.priority >= pod.priority && other.uid !== pod.uid && !node.pods.has(other.uid)) ?? [];
  if (ahead.length === 0) return firstRejectionAsIs(node, filters, pod);
  // It must fit beside those who were promised room, and also without them: they may never come.
  for (const other of ahead) node.addPod(other);
  const beside = firstRejectionAsIs(node, filters, pod);
  for (const other of ahead) node.removePod(other.uid);
  return beside ?? firstRejectionAsIs(node, filters, pod);
}

function firstRejectionAsIs(node: NodeInfo, filters: readonly Prepared[], pod: PodInfo): Rejection | undefined {
  for (const { plugin, state } of filters) {
    const verdict = plugin.filter?.(node, state, pod) ?? fits;
    if (verdict.kind !== 'fits') return { plugin: plugin.name, verdict };
  }
  return undefined;
}

/** The node with the highest sum of weighted scores; one of them at random where several have it. */
function best(nodes: readonly NodeInfo[], prepared: readonly Prepared[], { pod, random }: DecideInput): NodeInfo {
  const [only] = nodes;
  if (only === undefined) throw new Error('no node to choose from');
  if (nodes.length === 1) return only;
  const totals = new Float64Array(nodes.length);
  const scores = new Float64Array(nodes.length);
  for (const { plugin, weight, state } of prepared) {
    if (plugin.score === undefined || plugin.scores?.(state) === false) continue;
    for (let at = 0; at < nodes.length; at++) scores[at] = plugin.score(nodes[at] as NodeInfo, state, pod);
    plugin.normalize?.(scores, state);
    for (let at = 0; at < nodes.length; at++) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0);
  }
  let chosen = 0;
  let ties = 1;
  for (let at = 1; at < nodes.length; at++) {
    const difference = (totals[at] ?? 0) - (totals[chosen] ?? 0);
    if (difference > 0) [chosen, ties] = [at, 1];
    else if (difference === 0 && random() * ++ties < 1) chosen = at;
  }
  return nodes[chosen] ?? only;
}
