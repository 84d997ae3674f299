import type { PersistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import type { PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import type { Pod } from '#api/core/pod/pod.ts';

export const claimFinalizer = 'kubernetes.io/pvc-protection';
export const volumeFinalizer = 'kubernetes.io/pv-protection';

/** True when a claim that is being deleted may go: no pod that has a node names it. A pod without a node is not let start with it. */
export function mayRelease({ metadata }: PersistentVolumeClaim, pods: readonly Pod[]): boolean {
  return isHeld(metadata, claimFinalizer) && !pods.some((pod) => uses(pod, metadata.name ?? ''));
}

/** True when a volume that is being deleted may go: no claim is bound to it. */
export function mayGo({ metadata, status }: PersistentVolume): boolean {
  return isHeld(metadata, volumeFinalizer) && status?.phase !== 'Bound';
}

function isHeld({ deletionTimestamp, finalizers = [] }: PersistentVolumeClaim['metadata'], finalizer: string): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(finalizer);
}

function uses({ metadata, spec }: Pod, claim: string): boolean {
  if ((spec.nodeName ?? '') === '') return false;
  return (spec.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim || (ephemeral !== undefined && `${metadata.name}-${name}` === claim),
  );
}
