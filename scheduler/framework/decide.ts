// The decision of a scheduling cycle: the best node for a pod. Pure: reads the snapshot and has no visible side effects.
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
  /** Index of the node to start filtering at; the decision holds that of the next cycle. */
  readonly startIndex: number;
  /** Nominated pods by node: pods of lower priority must leave them their resources. */
  readonly nominated?: ReadonlyMap<string, readonly PodInfo[]>;
  /** Disruption budgets that preemption respects where possible; default none. */
  readonly budgets?: () => readonly PodDisruptionBudget[];
  /** Numbers in [0, 1), for ties. */
  readonly random: () => number;
  /** Called when all plugins of an extension point have run. */
  readonly passed?: ((point: 'PreFilter' | 'Filter' | 'Score', status: PointStatus) => void) | undefined;
}

export type Decision =
  | { readonly kind: 'node'; readonly nodeName: string; readonly prepared: readonly Prepared[]; readonly nextIndex: number }
  | {
      readonly kind: 'none';
      readonly message: string;
      readonly rejectedBy: ReadonlySet<string>;
      readonly nextIndex: number;
      /** The result of PostFilter; undefined where the pod's preemptionPolicy is Never. */
      readonly preemption: Preemption | undefined;
    };

const minFeasible = 100;
const minPercentage = 5;

/** Runs PreFilter, Filter, Score and, where no node fits, preemption. Throws only where a plugin does. */
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
    const preemption = pod.pod.spec.preemptionPolicy === 'Never' ? undefined : preempt(input, prepared, diagnosis.notNowNodes);
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

function preempt(input: DecideInput, prepared: readonly Prepared[], nodes: readonly NodeInfo[]): Preemption {
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

/** How many feasible nodes to find: all of a small cluster, a decreasing percentage of a large one (upstream's numFeasibleNodesToFind). */
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

  // The nominated node is evaluated first, since it is probably the only one that fits.
  const nominatedName = pod.pod.status?.nominatedNodeName;
  const nominatedNode = nominatedName === undefined || nominatedName === '' ? undefined : cluster.node(nominatedName);
  if (nominatedNode !== undefined && firstRejection(nominatedNode, filters, pod, nominated?.get(nominatedNode.name)) === undefined) {
    return [nominatedNode];
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

/** The nodes that a plugin narrows the search to, if any does. */
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
  // It must fit with the nominated pods, and also without them, since they may never be bound there.
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

/** The node with the highest sum of weighted scores; ties are broken at random. */
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
