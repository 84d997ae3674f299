import type { V1NodeSelectorTerm } from '#api/generated/types.ts';
import { compileRequirement, requirement, SelectorError, type SelectorOperator } from '#api/meta/label-requirement.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { definePlugin, normalizeHighest } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { fits, neverHere } from '../framework/verdict.ts';

type Matches = (node: NodeInfo) => boolean;

interface Wanted {
  /** Undefined where the pod wants nothing of its nodes. */
  readonly required: Matches | undefined;
  readonly preferred: readonly { readonly weight: number; readonly matches: Matches }[];
  /** Set where every required term names nodes. */
  readonly names: ReadonlySet<string> | undefined;
}

/** `nodeSelector` and `affinity.nodeAffinity`. */
export const nodeAffinity = definePlugin<Wanted>({
  name: 'NodeAffinity',
  retryOn: ['node-added', 'node-labels-changed', 'pod-changed'],
  worthRetrying: (pod, { node }) => node === undefined || (requiredByNodeAffinity(pod)?.(node) ?? true),
  prepare: (pod) => {
    const affinity = pod.pod.spec.affinity?.nodeAffinity;
    const preferred = (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      .filter(({ weight }) => weight !== 0)
      .map(({ weight, preference }) => ({ weight, matches: termMatches(preference) }));
    const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    return { required: requiredByNodeAffinity(pod), preferred, names: namedNodes(terms) };
  },
  onlyNodes: ({ names }) => names,
  filters: ({ required }) => required !== undefined,
  filter: (node, { required }) =>
    required === undefined || required(node) ? fits : neverHere("node(s) didn't match Pod's node affinity/selector"),
  scores: ({ preferred }) => preferred.length > 0,
  score: (node, { preferred }) => preferred.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0),
  normalize: normalizeHighest,
});

/** What the pod requires of its node; undefined where nothing. */
export function requiredByNodeAffinity({ pod }: PodInfo): Matches | undefined {
  const labels = Object.entries(pod.spec.nodeSelector ?? {});
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (labels.length === 0 && terms === undefined) return undefined;
  const alternatives = terms?.map(termMatches);
  return (node) =>
    labels.every(([label, value]) => node.labels[label] === value) &&
    (alternatives === undefined || alternatives.some((matches) => matches(node)));
}

const operators: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

/** One term of a node selector; all its parts must hold. An empty term matches nothing, and so does a malformed one. */
function termMatches({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): Matches {
  if (matchExpressions.length === 0 && matchFields.length === 0) return () => false;
  try {
    const labelTests = matchExpressions.map(({ key, operator, values = [] }) => {
      const known = operators[operator];
      if (known === undefined) throw new SelectorError(`${JSON.stringify(operator)} is not a valid node selector operator`);
      return compileRequirement(requirement(key, known, values));
    });
    const nameTests = matchFields.map(({ operator, values = [] }): ((name: string) => boolean) => {
      if (operator === 'In') return (name) => values.includes(name);
      return (name) => !values.includes(name);
    });
    return (node) => labelTests.every((test) => test(node.labels)) && nameTests.every((test) => test(node.name));
  } catch (error) {
    if (error instanceof SelectorError) return () => false;
    throw error;
  }
}

/** The nodes that the terms name, where every one does (`metadata.name In […]`): the others need not be filtered. */
function namedNodes(terms: readonly V1NodeSelectorTerm[] | undefined): ReadonlySet<string> | undefined {
  if (terms === undefined || terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const lists = matchFields.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In').map(({ values = [] }) => values);
    const [first, ...others] = lists;
    if (first === undefined) return undefined;
    for (const name of first) if (others.every((list) => list.includes(name))) names.add(name);
  }
  return names;
}
