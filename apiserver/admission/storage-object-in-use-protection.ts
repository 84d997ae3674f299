import type { AdmissionPlugin } from '../registry/contract.ts';
import { concerns } from './refusal.ts';

const storageGroup = 'storage.k8s.io';

/** The finalizer that controllers remove once the object is unused. */
const finalizers = [
  { group: '', plural: 'persistentvolumeclaims', finalizer: 'kubernetes.io/pvc-protection' },
  { group: '', plural: 'persistentvolumes', finalizer: 'kubernetes.io/pv-protection' },
  { group: storageGroup, plural: 'volumeattributesclasses', finalizer: 'kubernetes.io/vac-protection' },
] as const;

/** Protects claims, volumes and volume attributes classes while they are in use. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate: (request) => {
    const { operation, object } = request;
    if (operation !== 'CREATE' || object === undefined) return;
    const found = finalizers.find(({ group, plural }) => concerns(request, plural, group));
    if (found === undefined) return;
    const { metadata } = object;
    if (metadata.finalizers?.includes(found.finalizer) !== true) metadata.finalizers = [...(metadata.finalizers ?? []), found.finalizer];
  },
};
