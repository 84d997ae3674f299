// What a claim asks for, by itself or in the template of a pod's ephemeral volume (pkg/apis/core/validation/validation.go).
import type { V1PersistentVolumeClaimSpec, V1PersistentVolumeClaimTemplate } from '#api/generated/types.ts';
import { validateLabelSelector } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import { validateAnnotations, validateLabels } from '../../meta/object-meta.ts';
import { formatQuantity, isWholeQuantity, parseQuantity, signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { roundAmounts } from '../pod/container-defaults.ts';
import { validateAccessModes, validateClassName, validateVolumeMode } from '../volume/access.ts';
import { validateDataSources } from './data-source.ts';

type Spec = Unchecked<V1PersistentVolumeClaimSpec>;
type StringMap = Record<string, string>;

/** What an older claim may keep although a new one could not have it. */
export interface ClaimLeniency {
  readonly anyApiGroup: boolean;
  readonly anySelector: boolean;
}

const strict: ClaimLeniency = { anyApiGroup: false, anySelector: false };

/** Members of a template's metadata that must not be set, in the order and with the names of Go's struct. */
const fixedMeta = {
  name: 'name',
  generateName: 'generateName',
  namespace: 'namespace',
  selfLink: 'selfLink',
  uid: 'uID',
  resourceVersion: 'resourceVersion',
  generation: 'generation',
  creationTimestamp: 'creationTimestamp',
  deletionTimestamp: 'deletionTimestamp',
  deletionGracePeriodSeconds: 'deletionGracePeriodSeconds',
  ownerReferences: 'ownerReferences',
  finalizers: 'finalizers',
  managedFields: 'managedFields',
} as const;

export function defaultClaimSpec(spec: V1PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  roundAmounts(spec.resources?.requests);
  roundAmounts(spec.resources?.limits);
}

export function validateClaimSpec(spec: Spec, path: string, leniency = strict): FieldProblem[] {
  const { accessModes = [], selector, storageClassName = '', volumeMode, volumeAttributesClassName = '' } = spec;
  const problems = accessModes.length === 0 ? [required(`${path}.accessModes`, 'at least 1 access mode is required')] : [];
  if (!leniency.anySelector) problems.push(...validateLabelSelector(selector, `${path}.selector`));
  problems.push(...validateAccessModes(accessModes, `${path}.accessModes`));
  problems.push(...validateSize(spec.resources?.requests?.['storage'], `${path}.resources[storage]`));
  if (storageClassName !== '') problems.push(...validateClassName(storageClassName, `${path}.storageClassName`));
  problems.push(...validateVolumeMode(volumeMode, `${path}.volumeMode`));
  problems.push(...validateDataSources(spec, leniency.anyApiGroup, path));
  if (volumeAttributesClassName !== '') {
    problems.push(...validateClassName(volumeAttributesClassName, `${path}.volumeAttributesClassName`));
  }
  return problems;
}

function validateSize(size: string | undefined, field: string): FieldProblem[] {
  if (size === undefined) return [required(field)];
  return signOfQuantity(size) > 0 ? [] : [invalid(field, formatQuantity(parseQuantity(size)), 'must be greater than zero')];
}

export function validateClaimTemplate(template: Unchecked<V1PersistentVolumeClaimTemplate>, path: string): FieldProblem[] {
  const { metadata = {}, spec = {} } = template;
  const fixed = Object.entries(fixedMeta).filter(([member]) => isSet(metadata[member as keyof typeof fixedMeta]));
  return [
    ...validateAnnotations(metadata.annotations as StringMap | undefined, `${path}.metadata.annotations`),
    ...validateLabels(metadata.labels as StringMap | undefined, `${path}.metadata.labels`),
    ...fixed.map(([, name]) => forbiddenField(`${path}.metadata.${name}`, 'cannot be set')),
    ...validateClaimSpec(spec, `${path}.spec`),
  ];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== 0;
}

/** Warnings about a claim's amounts, which are whole bytes in the end. */
export function claimSpecWarnings({ resources }: V1PersistentVolumeClaimSpec, path: string): string[] {
  return (['requests', 'limits'] as const).flatMap((which) => {
    const amount = resources?.[which]?.['storage'];
    if (amount === undefined || isWholeQuantity(amount)) return [];
    const text = `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`;
    return [`${path}.resources.${which}[storage]: ${text}`];
  });
}
