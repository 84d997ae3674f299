import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { findCondition } from '../../meta/conditions.ts';
import type { Node } from './node.ts';

/** What `kubectl get nodes` shows. */
export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: 'Status', description: 'The status of the node', value: statusText },
  { name: 'Roles', description: 'The roles of the node', value: (node) => nodeRoles(node).join(',') || '<none>' },
  ageColumn,
  { name: 'Version', value: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
  { name: 'Internal-IP', priority: 1, value: (node) => addressOf(node, 'InternalIP') },
  { name: 'External-IP', priority: 1, value: (node) => addressOf(node, 'ExternalIP') },
  { name: 'OS-Image', priority: 1, value: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
  { name: 'Kernel-Version', priority: 1, value: kernelText },
  { name: 'Container-Runtime', priority: 1, value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>' },
];

/** With what it runs on: `6.8.0-51-generic (amd64)`. */
function kernelText({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {};
  if (!kernelVersion) return '<unknown>';
  return architecture ? `${kernelVersion} (${architecture})` : kernelVersion;
}

function statusText({ spec, status }: Node): string {
  const ready = findCondition(status?.conditions, 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

/** Roles by label, sorted: `node-role.kubernetes.io/<role>` and `kubernetes.io/role=<role>`. */
function nodeRoles({ metadata }: Node): string[] {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(prefix) && key.length > prefix.length) return [key.slice(prefix.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return [...new Set(roles)].toSorted();
}

function addressOf({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address || '<none>';
}
