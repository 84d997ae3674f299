// Spreads pods over places (all nodes with one value of a label). A hard constraint keeps a pod from a place that would get more
// than `maxSkew` ahead of the emptiest; a soft one makes such places less liked. Cost: only pods with constraints look at others.
import type { V1TopologySpreadConstraint } from '#api/generated/types.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { type ClusterView, definePlugin, maxScore } from '../framework/plugin.ts';
import { selectorOrNothing } from '../framework/pod-affinity-terms.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { fits, neverHere, notNow, type Verdict } from '../framework/verdict.ts';
import { requiredByNodeAffinity } from './node-affinity.ts';
import { isRepelled } from './taint-toleration.ts';

/** A constraint with how many of the pods that it means are in each place. */
interface Spread {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly isHard: boolean;
  readonly counts: ReadonlyMap<string, number>;
  /** The fewest in any place; 0 while there are fewer places than wanted. */
  readonly least: number;
  /** 1 where the pod itself is meant. */
  readonly own: number;
}

interface Spreads {
  readonly hard: readonly Spread[];
  readonly soft: readonly Spread[];
}

const notMatching = "node(s) didn't match pod topology spread constraints";
const unplaced = -1;

export const podTopologySpread = definePlugin<Spreads>({
  name: 'PodTopologySpread',
  retryOn: ['node-added', 'node-labels-changed', 'node-taints-changed', 'pod-assigned', 'pod-removed', 'pod-changed'],
  prepare: (pod, cluster) => {
    const constraints = pod.pod.spec.topologySpreadConstraints ?? [];
    const ofKind = (kind: string) => constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === kind);
    return { hard: gather(pod, ofKind('DoNotSchedule'), cluster), soft: gather(pod, ofKind('ScheduleAnyway'), cluster) };
  },
  filters: ({ hard }) => hard.length > 0,
  filter: (node, { hard }) => check(node, hard),
  scores: ({ soft }) => soft.length > 0,
  score: (node, { soft }) => crowding(node, soft),
  normalize: (scores) => {
    let [least, most] = [Infinity, 0];
    for (const score of scores) {
      if (score === unplaced) continue;
      [least, most] = [Math.min(least, score), Math.max(most, score)];
    }
    for (let at = 0; at < scores.length; at++) {
      const score = scores[at] ?? unplaced;
      if (score === unplaced) scores[at] = 0;
      else scores[at] = most === 0 ? maxScore : Math.floor((maxScore * (most + least - score)) / most);
    }
  },
});

function gather(pod: PodInfo, constraints: readonly V1TopologySpreadConstraint[], cluster: ClusterView): readonly Spread[] {
  if (constraints.length === 0) return [];
  const wantedNode = requiredByNodeAffinity(pod);
  const tolerations = pod.pod.spec.tolerations ?? [];
  const parts = constraints.map((constraint) => ({
    constraint,
    selector: selectorFor(pod, constraint),
    counts: new Map<string, number>(),
  }));
  for (const node of cluster.nodes) {
    if (!constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined)) continue;
    for (const { constraint, selector, counts } of parts) {
      const { topologyKey, nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
      if (nodeAffinityPolicy === 'Honor' && wantedNode?.(node) === false) continue;
      if (nodeTaintsPolicy === 'Honor' && isRepelled(node, tolerations)) continue;
      const value = node.labels[topologyKey] ?? '';
      counts.set(value, (counts.get(value) ?? 0) + countPods(node, pod, selector));
    }
  }
  return parts.map(({ constraint, selector, counts }) => ({
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    isHard: constraint.whenUnsatisfiable === 'DoNotSchedule',
    counts,
    least: counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values()),
    own: selector.matches(pod.pod.metadata.labels) ? 1 : 0,
  }));
}

/** The constraint's selector, narrowed to the pod's own values of `matchLabelKeys` (a revision's pods among themselves). */
function selectorFor({ pod }: PodInfo, { labelSelector, matchLabelKeys = [] }: V1TopologySpreadConstraint): LabelSelector {
  const own = pod.metadata.labels ?? {};
  const same = matchLabelKeys.filter((key) => own[key] !== undefined).map((key) => [key, own[key] ?? ''] as const);
  if (same.length === 0) return selectorOrNothing(labelSelector);
  return selectorOrNothing({ ...labelSelector, matchLabels: { ...labelSelector?.matchLabels, ...Object.fromEntries(same) } });
}

function countPods(node: NodeInfo, incoming: PodInfo, selector: LabelSelector): number {
  let count = 0;
  for (const { pod } of node.pods.values()) {
    const { namespace, deletionTimestamp, labels } = pod.metadata;
    if (namespace === incoming.pod.metadata.namespace && deletionTimestamp === undefined && selector.matches(labels)) count++;
  }
  return count;
}

function check(node: NodeInfo, hard: readonly Spread[]): Verdict {
  for (const { topologyKey, counts, least, own, maxSkew } of hard) {
    const value = node.labels[topologyKey];
    if (value === undefined) return neverHere(`${notMatching} (missing required label)`);
    if ((counts.get(value) ?? 0) + own - least > maxSkew) return notNow(notMatching);
  }
  return fits;
}

/** How full the node's places are; kinds with many places weigh more, as upstream has it. */
function crowding(node: NodeInfo, soft: readonly Spread[]): number {
  let sum = 0;
  for (const { topologyKey, counts, maxSkew } of soft) {
    const value = node.labels[topologyKey];
    if (value === undefined) return unplaced;
    sum += (counts.get(value) ?? 0) * Math.log(counts.size + 2) + (maxSkew - 1);
  }
  return Math.round(sum);
}
