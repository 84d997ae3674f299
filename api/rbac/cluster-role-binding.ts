import type { V1ClusterRoleBinding } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { bindingColumns, defaultBinding, validateBinding, validateRoleRefKept } from './bindings.ts';
import { rbacGroup, rbacName } from './rules.ts';

export interface ClusterRoleBinding extends V1ClusterRoleBinding {
  metadata: ObjectMeta;
}

/** Gives a cluster role to subjects, everywhere. */
export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  scope: 'cluster',
  names: { plural: 'clusterrolebindings' },
  schema: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  createOnUpdate: true,
  validateName: rbacName,
  defaults: [defaultBinding],
  validate: (binding) => validateBinding(binding, ['ClusterRole']),
  validateUpdate: validateRoleRefKept,
  columns: bindingColumns('clusterRoleBinding'),
});
