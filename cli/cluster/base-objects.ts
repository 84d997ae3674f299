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

interface BaseObject {
  readonly kind: TypedResource<KubeObject>;
  readonly object: KubeObject;
}

export const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';
const manager = 'coxswain';
const systemNamespace = 'kube-system';
const dnsUser = { apiGroup: rbacGroup, kind: 'User', name: 'system:kube-dns' };

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
  made(clusterRole, {
    metadata: { name: 'system:coredns' },
    rules: [
      { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces', 'nodes'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ],
  }),
  clusterBinding('system:coredns', 'system:coredns', dnsUser),
  // The DNS is no pod: it publishes its own Service and where that leads.
  made(role, {
    metadata: { name: 'coxswain:dns-publisher', namespace: systemNamespace },
    rules: [
      { apiGroups: [''], resources: ['services'], verbs: ['create'] },
      { apiGroups: [''], resources: ['services'], resourceNames: ['kube-dns'], verbs: ['get', 'patch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'delete', 'get', 'list', 'patch'] },
    ],
  }),
  made(roleBinding, {
    metadata: { name: 'coxswain:dns-publisher', namespace: systemNamespace },
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: 'coxswain:dns-publisher' },
    subjects: [dnsUser],
  }),
];

function clusterBinding(name: string, roleName: string, subject: typeof dnsUser): BaseObject {
  const roleRef = { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName };
  return made(clusterRoleBinding, { metadata: { name }, roleRef, subjects: [subject] });
}

function made<T extends KubeObject>(kind: TypedResource<T>, object: T): BaseObject {
  return { kind: kind as unknown as TypedResource<KubeObject>, object };
}
