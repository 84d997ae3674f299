import type { V1VolumeAttachment, V1VolumeAttachmentSource, V1VolumeAttachmentStatus, V1VolumeError } from '#api/generated/types.ts';
import { defaultVolumeSource } from '../core/persistent-volume/persistent-volume.ts';
import { validateInlineSpec } from '../core/persistent-volume/spec.ts';
import { validateDriverName } from '../core/volume/csi-references.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems, inclusiveRangeText } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText, keepMetaInStatus } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { textBytes } from './parameters.ts';

export interface VolumeAttachment extends V1VolumeAttachment {
  metadata: ObjectMeta;
}

const maxMetadataBytes = 256 * 1_024;
const maxMessageBytes = 1_024;
const maxInt32 = 2 ** 31 - 1;
const oneSourceText = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

/** That a volume is, or should be, attached to a node. */
export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  scope: 'cluster',
  names: { plural: 'volumeattachments' },
  schema: 'io.k8s.api.storage.v1.VolumeAttachment',
  answersDeleted: true,
  unconditionalUpdate: false,
  defaults: [
    ({ spec }) => {
      if (spec.source?.inlineVolumeSpec !== undefined) defaultVolumeSource(spec.source.inlineVolumeSpec);
    },
  ],
  prepareCreate: (created) => {
    created.status = { attached: false };
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: (object, { verb }) => [
    ...validateSpec(object, 'spec'),
    ...validateStatus(object.status, 'status'),
    ...(verb === 'create' ? validateNewSpec(object) : []),
  ],
  validateUpdate: ({ spec: next }, { spec: prev }) => (equalValues(next, prev) ? [] : [invalid('spec', shownSpec(next), immutableText)]),
  columns: [
    nameColumn,
    { name: 'Attacher', format: 'name', value: ({ spec }) => spec.attacher },
    { name: 'PV', value: ({ spec }) => spec.source.persistentVolumeName ?? '' },
    { name: 'Node', value: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', value: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
});

function validateSpec({ spec }: Unchecked<VolumeAttachment>, path: string): FieldProblem[] {
  const { attacher = '', source = {}, nodeName = '' } = spec ?? {};
  const problems = attacher === '' ? [required(`${path}.attacher`)] : [];
  problems.push(...validateSource(source, `${path}.source`));
  return [...problems, ...invalidEach(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName))];
}

function validateSource({ inlineVolumeSpec, persistentVolumeName }: Unchecked<V1VolumeAttachmentSource>, path: string): FieldProblem[] {
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) return [required(path, oneSourceText)];
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) return [forbiddenField(path, oneSourceText)];
  if (inlineVolumeSpec !== undefined) return validateInlineSpec(inlineVolumeSpec, `${path}.inlineVolumeSpec`);
  return persistentVolumeName === '' ? [required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName')] : [];
}

/** What older versions of the API let through. */
function validateNewSpec({ spec }: Unchecked<VolumeAttachment>): FieldProblem[] {
  const name = spec?.source?.persistentVolumeName;
  return [
    ...validateDriverName(spec?.attacher ?? '', 'spec.attacher'),
    ...(name === undefined ? [] : invalidEach('spec.source.persistentVolumeName', name, dnsSubdomainProblems(name))),
  ];
}

function validateStatus(status: V1VolumeAttachmentStatus | undefined, path: string): FieldProblem[] {
  const { attachmentMetadata = {}, attachError, detachError } = status ?? {};
  return [
    ...(textBytes(attachmentMetadata) > maxMetadataBytes ? [tooLong(`${path}.attachmentMetadata`, maxMetadataBytes)] : []),
    ...validateError(attachError, `${path}.attachError`),
    ...validateError(detachError, `${path}.detachError`),
  ];
}

function validateError({ message = '', errorCode = 0 }: V1VolumeError = {}, path: string): FieldProblem[] {
  return [
    // The limit that upstream names is not the one that it keeps.
    ...(byteLength(message) > maxMessageBytes ? [tooLong(`${path}.message`, maxMetadataBytes)] : []),
    ...(errorCode < 0 ? [invalid(`${path}.errorCode`, errorCode, inclusiveRangeText(0, maxInt32))] : []),
  ];
}

/** As Go prints it. */
function shownSpec({ attacher, source, nodeName }: VolumeAttachment['spec']): object {
  const { persistentVolumeName = null, inlineVolumeSpec = null } = source;
  return {
    Attacher: attacher,
    Source: { PersistentVolumeName: persistentVolumeName, InlineVolumeSpec: inlineVolumeSpec },
    NodeName: nodeName,
  };
}
