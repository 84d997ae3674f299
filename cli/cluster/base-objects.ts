// What a local cluster holds from the start besides what its components make: the rights of those who are no upstream component, and
// the label of the control plane, which no node may give itself. kubeadm makes the same objects.
import { node } from '#api/core/node/node.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { roleBinding } from '#api/rbac/role-binding.ts';
import { role } from '#api/rbac/role.ts';
import { rbacGroup } from '#api/rbac/rules.ts';
import type { Client, TypedResource } from '#client/client.ts';
import { dnsPublisherRole, dnsPublisherRules, dnsReaderRole, dnsReaderRules, dnsUser } from '#kubeadm/cluster/dns-rights.ts';

interface BaseObject {
  readonly kind: TypedResource<KubeObject>;
  readonly object: KubeObject;
}

export const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';
const manager = 'coxswain';
const systemNamespace = 'kube-system';
const dnsSubject = { apiGroup: rbacGroup, kind: 'User', name: dnsUser };

/** Makes and mends all of them. Throws while the API server is not there. */
export async function makeBaseObjects(client: Client, signal: AbortSignal): Promise<void> {
  await Promise.all(
    baseObjects.map(({ kind, object }) => {
      const { name = '', namespace } = object.metadata;
      const whole = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, ...object };
      return client.patch(kind, { name, namespace }, whole, { type: 'apply', force: true, fieldManager: manager }, signal);
    }),
  );
}

/** Throws while the node is not registered. */
export async function markControlPlane(client: Client, nodeName: string, signal: AbortSignal): Promise<void> {
  const labels = { [controlPlaneLabel]: '' };
  await client.patch(node, { name: nodeName }, { metadata: { labels } }, { type: 'merge', fieldManager: manager }, signal);
}

const baseObjects: readonly BaseObject[] = [
  // The user by which the API server comes to kubelets, and other administrators that are not above all rules.
  clusterBinding('kubeadm:cluster-admins', 'cluster-admin', { apiGroup: rbacGroup, kind: 'Group', name: 'kubeadm:cluster-admins' }),
  made(clusterRole, { metadata: { name: dnsReaderRole }, rules: [...dnsReaderRules] }),
  clusterBinding(dnsReaderRole, dnsReaderRole, dnsSubject),
  made(role, { metadata: { name: dnsPublisherRole, namespace: systemNamespace }, rules: [...dnsPublisherRules] }),
  made(roleBinding, {
    metadata: { name: dnsPublisherRole, namespace: systemNamespace },
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: dnsPublisherRole },
    subjects: [dnsSubject],
  }),
];

function clusterBinding(name: string, roleName: string, subject: typeof dnsSubject): BaseObject {
  const roleRef = { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName };
  return made(clusterRoleBinding, { metadata: { name }, roleRef, subjects: [subject] });
}

function made<T extends KubeObject>(kind: TypedResource<T>, object: T): BaseObject {
  return { kind: kind as unknown as TypedResource<KubeObject>, object };
}
