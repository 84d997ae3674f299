import type { V1RoleBinding } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { bindingColumns, defaultBinding, validateBinding, validateRoleRefKept } from './bindings.ts';
import { rbacGroup, rbacName } from './rules.ts';

export interface RoleBinding extends V1RoleBinding {
  metadata: ObjectMeta;
}

/** Gives a role to subjects, in one namespace. */
export const roleBinding = defineKind<RoleBinding>({
  group: rbacGroup,
  version: 'v1',
  kind: 'RoleBinding',
  scope: 'namespaced',
  names: { plural: 'rolebindings' },
  schema: 'io.k8s.api.rbac.v1.RoleBinding',
  createOnUpdate: true,
  validateName: rbacName,
  defaults: [defaultBinding],
  validate: (binding) => validateBinding(binding, ['Role', 'ClusterRole']),
  validateUpdate: validateRoleRefKept,
  columns: bindingColumns('roleBinding'),
});
