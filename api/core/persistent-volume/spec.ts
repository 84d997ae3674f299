// What a volume is, by itself or inline in a VolumeAttachment (pkg/apis/core/validation/validation.go).
import { posix } from 'node:path';
import type { V1PersistentVolumeSpec, V1VolumeNodeAffinity } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { mapForm } from '../../meta/go-form.ts';
import { formatQuantity, parseQuantity, quantityValue, signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNodeSelector } from '../pod/affinity.ts';
import { validateAccessModes, validateClassName, validateVolumeMode } from '../volume/access.ts';
import { validateOneSource } from '../volume/source-rules.ts';
import { persistentSources } from './sources.ts';

type Spec = Unchecked<V1PersistentVolumeSpec>;

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
const inlineText = 'may not be specified in the context of inline volumes';

/** The spec of a PersistentVolume of this name. */
export function validateVolumeSpec(spec: Spec, volumeName: string, path: string): FieldProblem[] {
  const { accessModes = [], persistentVolumeReclaimPolicy: policy = '', nodeAffinity, storageClassName = '', volumeMode } = spec;
  const problems = accessModes.length === 0 ? [required(`${path}.accessModes`)] : [];
  problems.push(...validateAccessModes(accessModes, `${path}.accessModes`), ...validateCapacity(spec, `${path}.capacity`));
  if (policy !== '' && !reclaimPolicies.includes(policy)) {
    problems.push(notSupported(`${path}.persistentVolumeReclaimPolicy`, policy, reclaimPolicies));
  }
  if (nodeAffinity !== undefined) problems.push(...validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`));
  problems.push(...validateSource(spec, volumeName, path));
  if (storageClassName !== '') problems.push(...validateClassName(storageClassName, `${path}.storageClassName`));
  problems.push(...validateVolumeMode(volumeMode, `${path}.volumeMode`));
  return [...problems, ...validateAttributesClass(spec, path)];
}

/** A volume that is described where it is attached: what no PersistentVolume object would say is left out. */
export function validateInlineSpec(spec: Spec, path: string): FieldProblem[] {
  const {
    claimRef,
    capacity,
    csi,
    accessModes = [],
    persistentVolumeReclaimPolicy: policy,
    nodeAffinity,
    storageClassName,
    volumeMode,
  } = spec;
  const problems: FieldProblem[] = [];
  if (claimRef !== undefined) problems.push(forbiddenField(`${path}.claimRef`, inlineText));
  if (Object.keys(capacity ?? {}).length > 0) problems.push(forbiddenField(`${path}.capacity`, inlineText));
  if (csi === undefined) problems.push(required(`${path}.csi`, 'has to be specified in the context of inline volumes'));
  if (accessModes.length === 0) problems.push(required(`${path}.accessModes`));
  problems.push(...validateAccessModes(accessModes, `${path}.accessModes`));
  if (policy && policy !== 'Retain') {
    problems.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, 'may only be Retain in the context of inline volumes'));
  }
  if (nodeAffinity !== undefined) problems.push(forbiddenField(`${path}.nodeAffinity`, inlineText));
  problems.push(...validateSource({ ...spec, nodeAffinity: undefined }, '', path));
  if (storageClassName) problems.push(forbiddenField(`${path}.storageClassName`, inlineText));
  if (volumeMode !== undefined && volumeMode !== 'Filesystem') {
    const text = 'may not specify volumeMode other than Filesystem in the context of inline volumes';
    problems.push(forbiddenField(`${path}.volumeMode`, text));
  }
  return problems;
}

function validateCapacity({ capacity }: Spec, path: string): FieldProblem[] {
  const amounts = Object.entries((capacity ?? {}) as Record<string, string>);
  const problems = amounts.length === 0 ? [required(path)] : [];
  if (capacity?.['storage'] === undefined || amounts.length > 1)
    problems.push(notSupported(path, mapForm(capacity as Readonly<Record<string, string>>), ['storage']));
  for (const [name, amount] of amounts) {
    const field = `${path}[${name}]`;
    const value = quantityValue(amount);
    if (value < 0) problems.push(invalid(field, value, 'must be a valid resource quantity'));
    if (signOfQuantity(amount) <= 0) problems.push(invalid(field, formatQuantity(parseQuantity(amount)), 'must be greater than zero'));
  }
  return problems;
}

function validateNodeAffinity(affinity: Unchecked<V1VolumeNodeAffinity>, path: string): FieldProblem[] {
  const field = `${path}.required`;
  return affinity.required === undefined
    ? [required(field, 'must specify required node constraints')]
    : validateNodeSelector(affinity.required, field);
}

function validateSource(spec: Spec, volumeName: string, path: string): FieldProblem[] {
  const problems = validateOneSource(persistentSources, { ...spec, volumeName }, path);
  const isRoot = spec.hostPath !== undefined && posix.normalize(spec.hostPath.path ?? '') === '/';
  if (isRoot && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    problems.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"));
  }
  return problems;
}

function validateAttributesClass({ volumeAttributesClassName, csi }: Spec, path: string): FieldProblem[] {
  if (volumeAttributesClassName === undefined) return [];
  const field = `${path}.volumeAttributesClassName`;
  return [
    ...(volumeAttributesClassName === ''
      ? [required(field, 'an empty string is disallowed')]
      : validateClassName(volumeAttributesClassName, field)),
    ...(csi === undefined ? [required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName')] : []),
  ];
}
