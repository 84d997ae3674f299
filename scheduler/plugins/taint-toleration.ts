import type { V1Toleration } from '#api/generated/types.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { definePlugin, normalizeLowest } from '../framework/plugin.ts';
import { fits, neverHere } from '../framework/verdict.ts';
import { tolerates } from '#api/core/pod/tolerates.ts';

interface Tolerated {
  readonly all: readonly V1Toleration[];
  /** Those that can cover a PreferNoSchedule taint. */
  readonly preferred: readonly V1Toleration[];
}

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer soft ones. */
export const taintToleration = definePlugin<Tolerated>({
  name: 'TaintToleration',
  retryOn: ['node-added', 'node-taints-changed', 'pod-changed'],
  worthRetrying: ({ pod }, { node }) => node === undefined || !isRepelled(node, pod.spec.tolerations ?? []),
  prepare: ({ pod }) => {
    const all = pod.spec.tolerations ?? [];
    return { all, preferred: all.filter(({ effect }) => effect === undefined || effect === '' || effect === 'PreferNoSchedule') };
  },
  filter: (node, { all }) => (isRepelled(node, all) ? neverHere('node(s) had untolerated taint(s)') : fits),
  score: (node, { preferred }) => {
    let count = 0;
    for (const taint of node.taints) if (taint.effect === 'PreferNoSchedule' && !tolerates(preferred, taint)) count++;
    return count;
  },
  normalize: normalizeLowest,
});

/** True when a hard taint of the node is not tolerated. */
export function isRepelled(node: NodeInfo, tolerations: readonly V1Toleration[]): boolean {
  for (const taint of node.taints) {
    if ((taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(tolerations, taint)) return true;
  }
  return false;
}
