import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { accessModesText, storageClassOf } from '../volume/access.ts';
import type { PersistentVolume } from './persistent-volume.ts';

/** What `kubectl get pv` shows. */
export const volumeColumns: readonly Column<PersistentVolume>[] = [
  nameColumn,
  {
    name: 'Capacity',
    description:
      "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
    value: ({ spec }) => spec.capacity?.['storage'] ?? '0',
  },
  {
    name: 'Access Modes',
    description:
      'accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes',
    value: ({ spec }) => accessModesText(spec.accessModes),
  },
  {
    name: 'Reclaim Policy',
    description:
      'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming',
    value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
  },
  {
    name: 'Status',
    description:
      'phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase',
    value: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
  },
  {
    name: 'Claim',
    description:
      'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding',
    value: ({ spec: { claimRef } }) => (claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`),
  },
  { name: 'StorageClass', description: 'StorageClass of the pv', value: storageClassOf },
  {
    name: 'VolumeAttributesClass',
    description: 'VolumeAttributesClass of the pv',
    value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
  },
  {
    name: 'Reason',
    description:
      'reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.',
    value: ({ status }) => status?.reason ?? '',
  },
  ageColumn,
  {
    name: 'VolumeMode',
    priority: 1,
    description:
      'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec.',
    value: ({ spec }) => spec.volumeMode ?? '<unset>',
  },
];
