// The roles and bindings that kubeadm makes besides the API server's own. Names as upstream's.
import type { V1PolicyRule } from '#api/generated/types.ts';
import { type ClusterRole, clusterRole } from '#api/rbac/cluster-role.ts';
import { type ClusterRoleBinding, clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { type Role, role } from '#api/rbac/role.ts';
import { type RoleBinding, roleBinding } from '#api/rbac/role-binding.ts';
import type { Client } from '#client/client.ts';
import type { Surroundings } from '../surroundings.ts';
import { put } from './put.ts';

export const bootstrappers = 'system:bootstrappers:kubeadm:default-node-token';
export const nodesGroup = 'system:nodes';

/** Who gives. */
export interface Grant {
  readonly client: Client;
  readonly host: Surroundings;
}

interface Subjects {
  readonly groups?: readonly string[];
  readonly users?: readonly string[];
}

/** Binds an existing cluster role, everywhere. */
export async function bindClusterRole({ client, host }: Grant, name: string, roleName: string, subjects: Subjects): Promise<void> {
  const binding: ClusterRoleBinding = { metadata: { name }, roleRef: roleRef('ClusterRole', roleName), subjects: subjectsOf(subjects) };
  await put(client, clusterRoleBinding, binding, host);
}

/** A cluster role of our own and its binding, under one name. */
export async function grantEverywhere(grant: Grant, name: string, rules: V1PolicyRule[], subjects: Subjects): Promise<void> {
  const made: ClusterRole = { metadata: { name }, rules };
  await put(grant.client, clusterRole, made, grant.host);
  await bindClusterRole(grant, name, name, subjects);
}

/** A role of our own in one namespace and its binding, under one name. */
export async function grantInNamespace(
  grant: Grant,
  namespace: string,
  name: string,
  rules: V1PolicyRule[],
  subjects: Subjects,
): Promise<void> {
  const made: Role = { metadata: { name, namespace }, rules };
  const binding: RoleBinding = { metadata: { name, namespace }, roleRef: roleRef('Role', name), subjects: subjectsOf(subjects) };
  await put(grant.client, role, made, grant.host);
  await put(grant.client, roleBinding, binding, grant.host);
}

/** Lets `subjects` read one object by its name. */
export function mayRead(resource: string, name: string): V1PolicyRule {
  return { apiGroups: [''], resources: [resource], resourceNames: [name], verbs: ['get'] };
}

function roleRef(kind: string, name: string): { apiGroup: string; kind: string; name: string } {
  return { apiGroup: 'rbac.authorization.k8s.io', kind, name };
}

function subjectsOf({ groups = [], users = [] }: Subjects): { kind: string; apiGroup: string; name: string }[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  return [...groups.map((name) => ({ kind: 'Group', apiGroup, name })), ...users.map((name) => ({ kind: 'User', apiGroup, name }))];
}
