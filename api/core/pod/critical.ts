import type { V1Pod } from '#api/generated/types.ts';
import { isMirrorPod, isStaticPod } from './mirror.ts';

/** From this priority on pods are critical: those of the two classes that every cluster has, and above. */
export const systemCriticalPriority = 2_000_000_000;

/** Pods that a node runs by itself, and those of the highest priorities: nodes make room for them and never evict them. */
export function isCriticalPod(pod: V1Pod): boolean {
  return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec?.priority ?? 0) >= systemCriticalPriority;
}

/** Those of them that must not even move to another node. */
export function isNodeCriticalPod(pod: V1Pod): boolean {
  return isCriticalPod(pod) && pod.spec?.priorityClassName === 'system-node-critical';
}
