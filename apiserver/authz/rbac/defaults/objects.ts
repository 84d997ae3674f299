// The default roles and bindings as objects, in the order in which they are made: roles before what binds them.
import type { RbacV1Subject, V1AggregationRule, V1ObjectMeta, V1PolicyRule, V1RoleRef } from '#api/generated/types.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { rbacGroup } from '#api/rbac/rules.ts';
import type { PolicyKind } from '../policy.ts';
import { type DefaultClusterRole, defaultClusterBindings, defaultClusterRoles } from './cluster-roles.ts';
import { controllerRoles } from './controller-roles.ts';
import { defaultRoles } from './namespaced-roles.ts';
import { ruleOf } from './rule-lines.ts';

/** `false` on an object keeps the server from repairing it. */
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';

export interface RoleObject extends KubeObject {
  rules?: V1PolicyRule[];
  aggregationRule?: V1AggregationRule;
}

export interface BindingObject extends KubeObject {
  roleRef: V1RoleRef;
  subjects?: RbacV1Subject[];
}

const systemNamespace = 'kube-system';
const controllerPrefix = 'system:controller:';

/** All default objects by kind. Made anew by every call: they are needed once, at start. */
export function defaultObjects(): readonly (readonly [PolicyKind, readonly KubeObject[]])[] {
  const controllers = Object.entries(controllerRoles);
  return [
    [
      'clusterroles',
      [
        ...Object.entries(defaultClusterRoles).map(([name, role]) => clusterRole(name, role)),
        ...controllers.map(([name, rules]) => clusterRole(`${controllerPrefix}${name}`, { rules })),
      ],
    ],
    [
      'roles',
      defaultRoles.map(({ namespace, name, rules }): RoleObject => ({ metadata: meta(name, namespace), rules: rules.map(ruleOf) })),
    ],
    [
      'clusterrolebindings',
      [
        ...Object.entries(defaultClusterBindings).map(([name, subjects]) => binding(meta(name), 'ClusterRole', name, subjects)),
        ...controllers.map(([name]) => {
          const role = `${controllerPrefix}${name}`;
          return binding(meta(role), 'ClusterRole', role, [`ServiceAccount ${name}`]);
        }),
      ],
    ],
    [
      'rolebindings',
      defaultRoles.map(({ namespace, name, bindingName = name, subjects }) =>
        binding(meta(bindingName, namespace), 'Role', name, subjects),
      ),
    ],
  ];
}

function clusterRole(name: string, { rules = [], gathers, gatheredBy }: DefaultClusterRole): RoleObject {
  const metadata = meta(name);
  if (gatheredBy !== undefined) metadata.labels = { ...metadata.labels, [gatheredBy]: 'true' };
  return {
    metadata,
    ...(gathers === undefined ? {} : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [gathers]: 'true' } }] } }),
    rules: rules.map(ruleOf),
  };
}

function binding(metadata: KubeObject['metadata'], kind: string, role: string, subjects: readonly string[]): BindingObject {
  return {
    metadata,
    roleRef: { apiGroup: rbacGroup, kind, name: role },
    ...(subjects.length === 0 ? {} : { subjects: subjects.map(subjectOf) }),
  };
}

/** Reads `Kind name`; the accounts of components are all in one namespace. */
function subjectOf(text: string): RbacV1Subject {
  const [kind = '', name = ''] = text.split(' ');
  return kind === 'ServiceAccount' ? { kind, name, namespace: systemNamespace } : { apiGroup: rbacGroup, kind, name };
}

function meta(name: string, namespace?: string): V1ObjectMeta {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    annotations: { [autoUpdateAnnotation]: 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  };
}
