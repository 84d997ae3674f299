import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { accessModesText, storageClassOf } from '../volume/access.ts';
import type { PersistentVolumeClaim } from './persistent-volume-claim.ts';

/** What `kubectl get pvc` shows. */
export const claimColumns: readonly Column<PersistentVolumeClaim>[] = [
  nameColumn,
  {
    name: 'Status',
    description: 'phase represents the current phase of PersistentVolumeClaim.',
    value: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
  },
  {
    name: 'Volume',
    description: 'volumeName is the binding reference to the PersistentVolume backing this claim.',
    value: ({ spec }) => spec.volumeName ?? '',
  },
  {
    name: 'Capacity',
    description: 'capacity represents the actual resources of the underlying volume.',
    value: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
  },
  {
    name: 'Access Modes',
    description:
      'accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1',
    value: ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
  },
  { name: 'StorageClass', description: 'StorageClass of the pvc', value: storageClassOf },
  {
    name: 'VolumeAttributesClass',
    description: 'VolumeAttributesClass of the pvc',
    value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
  },
  ageColumn,
  {
    name: 'VolumeMode',
    priority: 1,
    description:
      'volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.',
    value: ({ spec }) => spec.volumeMode ?? '<unset>',
  },
];
