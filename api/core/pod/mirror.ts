import type { V1Pod } from '#api/generated/types.ts';

/** Marks pods that only show what a node runs by itself (static pods). Its value is the static pod's `configHashAnnotation`. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Where a kubelet has a pod from: `file`, `http`; absent or `api`: from the API. */
export const configSourceAnnotation = 'kubernetes.io/config.source';
/** Another one for every other content of a static pod's manifest. */
export const configHashAnnotation = 'kubernetes.io/config.hash';
/** When the kubelet first saw a static pod. */
export const configSeenAnnotation = 'kubernetes.io/config.seen';

export function isMirrorPod({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[mirrorAnnotation] !== undefined;
}

/** True for pods that a node runs by itself. In the API their mirror pods are to be seen, for which this holds, too. */
export function isStaticPod({ metadata }: V1Pod): boolean {
  return (metadata?.annotations?.[configSourceAnnotation] ?? 'api') !== 'api';
}
