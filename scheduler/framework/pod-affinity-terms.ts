import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodAffinityTerm, V1WeightedPodAffinityTerm } from '#api/generated/types.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { type LabelSelector, labelSelectorOf, selectNothing } from '#api/meta/label-selector.ts';

/** Which pods a term means, and what counts as one place. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** `namespaceLabels` gives the labels of that pod's namespace. */
  readonly matches: (pod: Pod, namespaceLabels: (name: string) => Readonly<Record<string, string>> | undefined) => boolean;
}

interface WeightedTerm {
  readonly term: AffinityTerm;
  /** Negative for pods to stay away from. */
  readonly weight: number;
}

/** A pod's inter-pod affinity terms. */
export interface PodAffinityTerms {
  readonly requiredNear: readonly AffinityTerm[];
  readonly requiredApart: readonly AffinityTerm[];
  readonly preferred: readonly WeightedTerm[];
}

/** Undefined where the pod has none. */
export function affinityTermsOf(pod: Pod): PodAffinityTerms | undefined {
  const { podAffinity: near, podAntiAffinity: apart } = pod.spec.affinity ?? {};
  if (near === undefined && apart === undefined) return undefined;
  const own = pod.metadata.namespace ?? '';
  const weighted = (terms: readonly V1WeightedPodAffinityTerm[] | undefined, sign: 1 | -1): WeightedTerm[] =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => ({ term: compile(podAffinityTerm, own), weight: sign * weight }));
  return {
    requiredNear: (near?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => compile(term, own)),
    requiredApart: (apart?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => compile(term, own)),
    preferred: [
      ...weighted(near?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(apart?.preferredDuringSchedulingIgnoredDuringExecution, -1),
    ],
  };
}

function compile(term: V1PodAffinityTerm, ownNamespace: string): AffinityTerm {
  const { topologyKey, labelSelector, namespaces = [], namespaceSelector } = term;
  const selector = selectorOrNothing(labelSelector);
  const inNamespaces = namespaceSelector === undefined ? undefined : selectorOrNothing(namespaceSelector);
  const listed = namespaces.length === 0 && namespaceSelector === undefined ? [ownNamespace] : namespaces;
  return {
    topologyKey,
    matches: ({ metadata }, namespaceLabels) => {
      if (!selector.matches(metadata.labels)) return false;
      const namespace = metadata.namespace ?? '';
      return listed.includes(namespace) || (inNamespaces?.matches(namespaceLabels(namespace) ?? {}) ?? false);
    },
  };
}

/** Validation lets no malformed selector in; one that came otherwise selects nothing. */
export function selectorOrNothing(selector: Parameters<typeof labelSelectorOf>[0]): LabelSelector {
  try {
    return labelSelectorOf(selector);
  } catch (error) {
    if (error instanceof SelectorError) return selectNothing;
    throw error;
  }
}
