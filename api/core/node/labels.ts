// Well-known labels of nodes that have newer names, or none (pkg/api/node/util.go).
import type { V1LabelSelector, V1NodeSelectorTerm } from '#api/generated/types.ts';
import { labelValueProblems } from '../../meta/names.ts';

/** The newer name of each. */
export const stableLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

const oldTexts: Readonly<Record<string, string>> = {
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

/** The warning for a deprecated label; undefined for others. */
export function oldLabelText(key: string): string | undefined {
  if (Object.hasOwn(oldTexts, key)) return oldTexts[key];
  const stable = Object.hasOwn(stableLabels, key) ? stableLabels[key] : undefined;
  if (stable === undefined) return undefined;
  const since = stable.startsWith('kubernetes.io/') ? 'v1.14' : 'v1.17';
  return `deprecated since ${since}; use ${JSON.stringify(stable)} instead`;
}

/** Warnings about one term of a node selector. */
export function selectorTermWarnings({ matchExpressions = [] }: V1NodeSelectorTerm, path: string): string[] {
  return expressionWarnings(matchExpressions, path);
}

/** The same for preferred terms, which may name invalid label values. */
export function preferenceWarnings(term: V1NodeSelectorTerm, path: string): string[] {
  return (term.matchExpressions ?? []).flatMap((expression, at) => [
    ...keyWarning(expression, `${path}.matchExpressions[${at}]`),
    ...(expression.values ?? []).flatMap((value, index) =>
      labelValueProblems(value).map((text) => `${path}.matchExpressions[${at}].values[${index}]: ${value} is invalid, ${text}`),
    ),
  ]);
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
  return expressions.flatMap((expression, at) => keyWarning(expression, `${path}.matchExpressions[${at}]`));
}

function keyWarning({ key }: { readonly key: string }, path: string): string[] {
  const text = oldLabelText(key);
  return text === undefined ? [] : [`${path}.key: ${key} is ${text}`];
}
