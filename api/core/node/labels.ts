// Well-known labels of nodes that have newer names.
import type { V1LabelSelector, V1NodeSelectorTerm } from '#api/generated/types.ts';

/** The newer name of each. */
export const stableLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** What people are told who still use an old name; undefined for others. */
export function oldLabelText(key: string): string | undefined {
  const stable = Object.hasOwn(stableLabels, key) ? stableLabels[key] : undefined;
  if (stable === undefined) return undefined;
  const since = stable.startsWith('kubernetes.io/') ? 'v1.14' : 'v1.17';
  return `deprecated since ${since}; use ${JSON.stringify(stable)} instead`;
}

/** Warnings about one term of a node selector. */
export function selectorTermWarnings({ matchExpressions = [] }: V1NodeSelectorTerm, path: string): string[] {
  return expressionWarnings(matchExpressions, path);
}

/** Warnings about a label selector that is meant for nodes. */
export function nodeTopologyWarnings({ matchExpressions = [], matchLabels = {} }: V1LabelSelector, path: string): string[] {
  const labels = Object.keys(matchLabels).flatMap((key) => {
    const text = oldLabelText(key);
    return text === undefined ? [] : [`${path}.matchLabels.${key}: ${text}`];
  });
  return [...expressionWarnings(matchExpressions, path), ...labels];
}

function expressionWarnings(expressions: readonly { readonly key: string }[], path: string): string[] {
  return expressions.flatMap(({ key }, at) => {
    const text = oldLabelText(key);
    return text === undefined ? [] : [`${path}.matchExpressions[${at}].key: ${key} is ${text}`];
  });
}
