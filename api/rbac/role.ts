import type { V1PolicyRule, V1Role } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { rbacGroup, rbacName, validatePolicyRules } from './rules.ts';

export interface Role extends V1Role {
  metadata: ObjectMeta;
  rules: V1PolicyRule[];
}

/** Rules for one namespace. */
export const role = defineKind<Role>({
  group: rbacGroup,
  version: 'v1',
  kind: 'Role',
  scope: 'namespaced',
  names: { plural: 'roles' },
  schema: 'io.k8s.api.rbac.v1.Role',
  createOnUpdate: true,
  validateName: rbacName,
  validate: ({ rules }) => validatePolicyRules(rules, 'namespaced'),
});
