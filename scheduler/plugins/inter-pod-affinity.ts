// Inter-pod affinity and anti-affinity within a topology domain: all nodes with the same value of a label. The terms of bound pods count
// too: a pod must not join a domain of a pod with anti-affinity against it. Cost: for a pod with terms of its own all bound pods are
// visited once per cycle; for any other only the bound pods that have terms.
import type { NodeInfo } from '../framework/node-info.ts';
import { type ClusterView, definePlugin, maxScore } from '../framework/plugin.ts';
import type { AffinityTerm, PodAffinityTerms } from '../framework/pod-affinity-terms.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { fits, neverHere, notNow, type Verdict } from '../framework/verdict.ts';
import { PlaceCounts } from './place-counts.ts';

interface AffinityState {
  readonly terms: PodAffinityTerms | undefined;
  /** Placed pods that all of the pod's `requiredNear` terms mean. */
  readonly near: PlaceCounts;
  /** Placed pods that one of its `requiredApart` terms means. */
  readonly apart: PlaceCounts;
  /** Placed pods that want to be apart from it. */
  readonly unwelcome: PlaceCounts;
  /** The pod itself is what its `requiredNear` terms mean: the first of a group may start it. */
  readonly isOwnKind: boolean;
  /** Sums of weights. */
  readonly liked: PlaceCounts;
}

const noTerms: PodAffinityTerms = { requiredNear: [], requiredApart: [], preferred: [] };
/** How much a placed pod that requires company likes to get it. */
const requiredWeight = 1;

export const interPodAffinity = definePlugin<AffinityState>({
  name: 'InterPodAffinity',
  retryOn: ['node-added', 'node-labels-changed', 'pod-assigned', 'pod-removed', 'pod-changed'],
  prepare: gather,
  filters: ({ terms, unwelcome }) => terms !== undefined || !unwelcome.isEmpty,
  filter: check,
  scores: ({ liked }) => !liked.isEmpty,
  score: (node, { liked }) => liked.sumAt(node),
  normalize: (scores) => {
    let [least, most] = [Infinity, -Infinity];
    for (const score of scores) [least, most] = [Math.min(least, score), Math.max(most, score)];
    const range = most - least;
    for (let at = 0; at < scores.length; at++) {
      scores[at] = range === 0 ? 0 : Math.floor((maxScore * ((scores[at] ?? 0) - least)) / range);
    }
  },
});

function gather(pod: PodInfo, cluster: ClusterView): AffinityState {
  const own = pod.affinity ?? noTerms;
  const labelsOf = (namespace: string) => cluster.namespaceLabels(namespace);
  const means = (term: AffinityTerm, other: PodInfo): boolean => term.matches(other.pod, labelsOf);
  const [near, apart, unwelcome, liked] = [new PlaceCounts(), new PlaceCounts(), new PlaceCounts(), new PlaceCounts()];
  for (const { pod: other, node } of cluster.podsWithAffinity()) {
    const theirs = other.affinity ?? noTerms;
    for (const term of theirs.requiredApart) if (means(term, pod)) unwelcome.add(node, term.topologyKey, 1);
    for (const term of theirs.requiredNear) if (means(term, pod)) liked.add(node, term.topologyKey, requiredWeight);
    for (const { term, weight } of theirs.preferred) if (means(term, pod)) liked.add(node, term.topologyKey, weight);
  }
  const count = (node: NodeInfo, other: PodInfo): void => {
    const isNear = own.requiredNear.length > 0 && own.requiredNear.every((term) => means(term, other));
    if (isNear) for (const { topologyKey } of own.requiredNear) near.add(node, topologyKey, 1);
    for (const term of own.requiredApart) if (means(term, other)) apart.add(node, term.topologyKey, 1);
    for (const { term, weight } of own.preferred) if (means(term, other)) liked.add(node, term.topologyKey, weight);
  };
  if (pod.affinity !== undefined) {
    for (const node of cluster.nodes) for (const other of node.pods.values()) count(node, other);
  }
  const isOwnKind = own.requiredNear.every((term) => means(term, pod));
  return { terms: pod.affinity, near, apart, unwelcome, liked, isOwnKind };
}

function check(node: NodeInfo, { terms = noTerms, near, apart, unwelcome, isOwnKind }: AffinityState): Verdict {
  const hasPlaces = terms.requiredNear.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
  const hasCompany = terms.requiredNear.every(({ topologyKey }) => near.at(node, topologyKey) > 0);
  const mayBeFirst = near.isEmpty && isOwnKind;
  if (!hasPlaces || !(hasCompany || mayBeFirst)) return neverHere("node(s) didn't match pod affinity rules");
  if (terms.requiredApart.some(({ topologyKey }) => apart.at(node, topologyKey) > 0)) {
    return notNow("node(s) didn't match pod anti-affinity rules");
  }
  return unwelcome.sumAt(node) > 0 ? notNow("node(s) didn't satisfy existing pods anti-affinity rules") : fits;
}
