import type { PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { storageClassOf } from '#api/core/volume/access.ts';
import { compareQuantities } from '#api/meta/quantity.ts';
import type { StorageClass } from '#api/storage/storage-class.ts';
import type { AdmissionPlugin, Registry } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

/** Lets claims grow only once they are bound, and only where their class says that its volumes can. */
export function persistentVolumeClaimResize(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !concerns(request, 'persistentvolumeclaims')) return;
      const next = request.object as PersistentVolumeClaim;
      const prev = request.previous as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(next), sizeOf(prev)) <= 0) return;
      if (prev.status?.phase !== 'Bound') throw refusal(request, 'Only bound persistent volume claims can be expanded');
      const name = storageClassOf(next);
      if (name !== '' && name === storageClassOf(prev) && mayGrow(registry(), name)) return;
      throw refusal(
        request,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
    },
  };
}

function sizeOf({ spec }: PersistentVolumeClaim): string {
  return spec.resources?.requests?.['storage'] ?? '0';
}

function mayGrow(registry: Registry, className: string): boolean {
  const kind = registry.find('storage.k8s.io', 'v1', 'storageclasses');
  const found = kind && registry.peek(kind, '', className);
  return (found?.object() as StorageClass | undefined)?.allowVolumeExpansion === true;
}
