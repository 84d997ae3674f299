import type { V1ClusterRole, V1LabelSelector, V1PolicyRule } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { rbacGroup, rbacName, validatePolicyRules } from './rules.ts';

export interface ClusterRole extends V1ClusterRole {
  metadata: ObjectMeta;
  rules: V1PolicyRule[];
}

/** Rules for the whole cluster, or for the namespaces in which it is bound. */
export const clusterRole = defineKind<ClusterRole>({
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRole',
  scope: 'cluster',
  names: { plural: 'clusterroles' },
  schema: 'io.k8s.api.rbac.v1.ClusterRole',
  createOnUpdate: true,
  validateName: rbacName,
  validate: ({ rules, aggregationRule }) => [
    ...validatePolicyRules(rules, 'cluster'),
    ...(aggregationRule === undefined ? [] : validateSelectors(aggregationRule.clusterRoleSelectors ?? [])),
  ],
});

function validateSelectors(selectors: readonly Unchecked<V1LabelSelector>[]): FieldProblem[] {
  const field = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0) return [required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, at) => {
    const own = `${field}[${at}]`;
    const problems = validateLabelSelector(selector, own);
    // Upstream then fails to compile it, and says so of nothing.
    return problems.length === 0 ? [] : [...problems, invalid(own, undefined, 'invalid label selector.')];
  });
}
