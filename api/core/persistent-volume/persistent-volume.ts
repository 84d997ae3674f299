import type { V1PersistentVolume, V1PersistentVolumeSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import { type FieldProblem, forbiddenField } from '../../meta/field-problem.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { timeText } from '../../meta/time-text.ts';
import { selectorTermWarnings } from '../node/labels.ts';
import { roundAmounts } from '../pod/container-defaults.ts';
import { defaultNetworkDisks } from '../pod/volume-defaults.ts';
import { classAnnotationWarnings } from '../volume/access.ts';
import { volumeColumns } from './columns.ts';
import { validateVolumeSpec } from './spec.ts';
import { keepPhaseTime, validateVolumeUpdate } from './update.ts';

export interface PersistentVolume extends V1PersistentVolume {
  metadata: ObjectMeta;
  spec: V1PersistentVolumeSpec;
}

const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options';

/** The types that take mount options from the annotation. */
const takingOptions = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
] as const;

/** Types that no longer do anything, as warnings call them. */
const deadSources = {
  cephfs: 'cephfs: deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'scaleIO: deprecated in v1.16, non-functional in v1.22+',
  storageos: 'storageOS: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'glusterfs: deprecated in v1.25, non-functional in v1.26+',
  rbd: 'rbd: deprecated in v1.28, non-functional in v1.31+',
} as const;

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  scope: 'cluster',
  names: { plural: 'persistentvolumes', short: ['pv'] },
  schema: 'io.k8s.api.core.v1.PersistentVolume',
  answersDeleted: true,
  defaults: [defaultVolume],
  prepareCreate: (created, { nowMs }) => {
    created.status = { phase: 'Pending', lastPhaseTransitionTime: timeText(nowMs) };
  },
  prepareUpdate: (next, prev, { subresource, nowMs }) => {
    if (subresource === 'status') keepPhaseTime(next, prev, nowMs);
  },
  validate: (volume, { subresource }) => (subresource === 'status' ? [] : validateVolume(volume)),
  validateUpdate: (next, prev, { subresource }) => (subresource === 'status' ? [] : validateVolumeUpdate(next, prev)),
  warnings: volumeWarnings,
  columns: volumeColumns,
  subresources: { status: true },
});

function defaultVolume(volume: PersistentVolume): void {
  volume.spec ??= {};
  volume.status ??= {};
  const { spec, status } = volume;
  if (!status.phase) status.phase = 'Pending';
  if (!spec.persistentVolumeReclaimPolicy) spec.persistentVolumeReclaimPolicy = 'Retain';
  spec.volumeMode ??= 'Filesystem';
  defaultVolumeSource(spec);
}

/** Defaults of what a volume is, also inline in a VolumeAttachment. */
export function defaultVolumeSource(spec: V1PersistentVolumeSpec): void {
  roundAmounts(spec.capacity);
  if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  defaultNetworkDisks(spec);
}

function validateVolume({ metadata, spec }: PersistentVolume): FieldProblem[] {
  const problems = validateVolumeSpec(spec, metadata.name ?? '', 'spec');
  if (metadata.annotations?.[mountOptionsAnnotation] === undefined || takingOptions.some((kind) => spec[kind] !== undefined)) {
    return problems;
  }
  const text = 'may not specify mount options for this volume type';
  return [...problems, forbiddenField(`metadata.annotations.${mountOptionsAnnotation}`, text)];
}

function volumeWarnings(volume: PersistentVolume): string[] {
  const { metadata, spec } = volume;
  const warnings = classAnnotationWarnings(volume);
  if (metadata.annotations?.[mountOptionsAnnotation] !== undefined) {
    warnings.push(`metadata.annotations[${mountOptionsAnnotation}]: deprecated since v1.31; use "mountOptions" attribute instead`);
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const advice = 'Instead, the recommended approach is to use dynamic provisioning.';
    warnings.push(`spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. ${advice}`);
  }
  spec.nodeAffinity?.required?.nodeSelectorTerms.forEach((term, at) => {
    warnings.push(...selectorTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${at}]`));
  });
  for (const [kind, text] of Object.entries(deadSources)) {
    if (spec[kind as keyof typeof deadSources] !== undefined) warnings.push(`spec.${text}`);
  }
  return warnings;
}
