import type { V1Pod } from '#api/generated/types.ts';

/** Marks pods that only show what a node runs by itself (static pods). */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

export function isMirrorPod({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[mirrorAnnotation] !== undefined;
}
