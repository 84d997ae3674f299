import type { PersistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import type { PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { VolumeAttributesClass } from '#api/storage/volume-attributes-class.ts';

export const claimFinalizer = 'kubernetes.io/pvc-protection';
export const volumeFinalizer = 'kubernetes.io/pv-protection';
export const classFinalizer = 'kubernetes.io/vac-protection';

/** True when a claim that is being deleted may go: no pod that has a node names it. A pod without a node is not let start with it. */
export function mayRelease({ metadata }: PersistentVolumeClaim, pods: readonly Pod[]): boolean {
  return isHeld(metadata, claimFinalizer) && !pods.some((pod) => uses(pod, metadata.name ?? ''));
}

/** True when a volume that is being deleted may go: no claim is bound to it. */
export function mayGo({ metadata, status }: PersistentVolume): boolean {
  return isHeld(metadata, volumeFinalizer) && status?.phase !== 'Bound';
}

/** What a class of volume attributes needs: its finalizer while it stays, none once it is being deleted and unused. */
export function planClass(
  { metadata }: VolumeAttributesClass,
  claims: readonly PersistentVolumeClaim[],
  volumes: readonly PersistentVolume[],
): 'keep' | 'hold' | 'release' {
  if (metadata.deletionTimestamp === undefined) return metadata.finalizers?.includes(classFinalizer) === true ? 'keep' : 'hold';
  const name = metadata.name ?? '';
  const isUsed = volumes.some((one) => classOfVolume(one) === name) || claims.some((one) => classesOfClaim(one).includes(name));
  return isHeld(metadata, classFinalizer) && !isUsed ? 'release' : 'keep';
}

/** The classes that a claim asks for, has, or is on its way to. */
export function classesOfClaim({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

export function classOfVolume({ spec }: PersistentVolume): string | undefined {
  return spec.volumeAttributesClassName;
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
