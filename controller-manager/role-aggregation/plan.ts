import type { V1PolicyRule } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import type { ClusterRole } from '#api/rbac/cluster-role.ts';

/**
 * The rules that a role must hold because of the roles that its selectors choose: selector by selector, roles by name, each rule once
 * (pkg/controller/clusterroleaggregation). Undefined where it holds them already.
 */
export function planAggregation(
  role: ClusterRole,
  selectors: readonly LabelSelector[],
  all: readonly ClusterRole[],
): V1PolicyRule[] | undefined {
  const others = all.filter(({ metadata }) => metadata.name !== role.metadata.name).toSorted(byName);
  const rules = new Map<string, V1PolicyRule>();
  for (const selector of selectors) {
    for (const other of others) {
      if (!selector.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) rules.set(ruleKey(rule), rule);
    }
  }
  const wanted = [...rules.values()];
  return equalValues(wanted, role.rules ?? []) ? undefined : wanted;
}

function byName(a: ClusterRole, b: ClusterRole): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

function ruleKey({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: V1PolicyRule): string {
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}
