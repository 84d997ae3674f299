import type { V1PolicyRule } from '#api/generated/types.ts';
import type { KindDefinition } from '../kind.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { nameIsPathSegment, type NameCheck } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** Roles and bindings may be called anything that fits into a path: `system:node` is a name. */
export const rbacName: NameCheck = (name) => nameIsPathSegment(name, false);

export function validatePolicyRules(rules: readonly Unchecked<V1PolicyRule>[], scope: KindDefinition['scope']): FieldProblem[] {
  return rules.flatMap((rule, at) => validatePolicyRule(rule, scope, `rules[${at}]`));
}

function validatePolicyRule(rule: Unchecked<V1PolicyRule>, scope: KindDefinition['scope'], path: string): FieldProblem[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const problems: FieldProblem[] = [];
  if (verbs.length === 0) problems.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`;
    if (scope === 'namespaced') problems.push(invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      problems.push(invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return problems;
  }
  if (apiGroups.length === 0) problems.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0) problems.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  return problems;
}
