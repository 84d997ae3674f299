import type { V1Toleration } from '#api/generated/types.ts';
import { definePlugin } from '../framework/plugin.ts';
import { fits, neverHere } from '../framework/verdict.ts';
import { tolerates } from '#api/core/pod/tolerates.ts';

const cordoned = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Keeps pods off cordoned nodes. */
export const nodeUnschedulable = definePlugin<readonly V1Toleration[]>({
  name: 'NodeUnschedulable',
  retryOn: ['node-added', 'node-taints-changed', 'pod-changed'],
  worthRetrying: (_pod, { node }) => node === undefined || !node.isUnschedulable,
  prepare: ({ pod }) => pod.spec.tolerations ?? [],
  filter: (node, tolerations) =>
    !node.isUnschedulable || tolerates(tolerations, cordoned) ? fits : neverHere('node(s) were unschedulable'),
});
