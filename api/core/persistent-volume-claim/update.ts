// What may change of a claim: little, so that an update cannot grant more than a create.
import type { V1PersistentVolumeClaimSpec } from '#api/generated/types.ts';
import { equalValues } from '../../meta/equality.ts';
import { qualifiedName, validateLabelSelector } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { immutableText, validateImmutable } from '../../meta/object-meta.ts';
import { compareQuantities, quantityValue } from '../../meta/quantity.ts';
import { specDiff } from '../pod/spec-diff.ts';
import { isNativeResource, validateAmount } from '../resource-names.ts';
import { classAnnotation } from '../volume/access.ts';
import type { PersistentVolumeClaim } from './persistent-volume-claim.ts';
import type { ClaimLeniency } from './spec.ts';

type Spec = V1PersistentVolumeClaimSpec;
type Amounts = Readonly<Record<string, string>>;

const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];
const fixedClassText = 'forbidden when status.currentVolumeAttributesClassName is not nil';
const fixedText = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

/** What the old claim has already and may keep. */
export function claimLeniency({ dataSource, dataSourceRef, selector }: Spec): ClaimLeniency {
  return {
    anyApiGroup: dataSource?.apiGroup !== undefined || dataSourceRef?.apiGroup !== undefined,
    anySelector: validateLabelSelector(selector, '').length > 0,
  };
}

export function validateClaimUpdate(next: PersistentVolumeClaim, prev: PersistentVolumeClaim): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const now = { ...next.spec };
  const before = { ...prev.spec };
  // Binding, by a controller, sets the name once.
  if (!before.volumeName) take(before, now, 'volumeName');
  if (namesAnnotatedClass(next, prev)) {
    delete now.storageClassName;
  } else {
    problems.push(...validateClassAnnotation(next, prev));
    if (mayNameClass(next, prev)) take(now, before, 'storageClassName');
  }
  if (next.status?.phase === 'Bound') {
    const requests = before.resources?.requests ?? {};
    if (now.resources?.requests !== undefined) {
      now.resources = { ...now.resources, requests: { ...now.resources.requests, storage: requests['storage'] ?? '0' } };
    }
    take(now, before, 'volumeAttributesClassName');
  }
  if (!equalValues(now, before)) problems.push(forbiddenField('spec', `${fixedText}\n${specDiff(before, now)}`));
  problems.push(...validateSizeUpdate(next, prev), ...validateImmutable(next.spec.volumeMode, prev.spec.volumeMode, 'volumeMode'));
  return [...problems, ...validateAttributesClass(next.spec.volumeAttributesClassName, prev)];
}

function take(to: Spec, from: Spec, member: 'volumeName' | 'storageClassName' | 'volumeAttributesClassName'): void {
  const value = from[member];
  if (value === undefined) delete to[member];
  else to[member] = value;
}

/** The class that the annotation names may move to the field. */
function namesAnnotatedClass(next: PersistentVolumeClaim, prev: PersistentVolumeClaim): boolean {
  const old = prev.metadata.annotations?.[classAnnotation];
  const now = next.metadata.annotations?.[classAnnotation];
  if (old === undefined || prev.spec.storageClassName !== undefined) return false;
  return next.spec.storageClassName === old && (now === undefined || now === old);
}

/** A claim without a class may get one later, when there is a default. */
function mayNameClass(next: PersistentVolumeClaim, prev: PersistentVolumeClaim): boolean {
  const old = prev.metadata.annotations?.[classAnnotation];
  const { storageClassName } = next.spec;
  if (storageClassName === undefined || prev.spec.storageClassName !== undefined) return false;
  return old === undefined || storageClassName === old;
}

function validateClassAnnotation(next: PersistentVolumeClaim, prev: PersistentVolumeClaim): FieldProblem[] {
  const now = next.metadata.annotations?.[classAnnotation] ?? '';
  const old = prev.metadata.annotations?.[classAnnotation] ?? '';
  return now === old ? [] : [invalid(`metadata.annotations.${classAnnotation}`, now, immutableText)];
}

/** Less may be asked for when growing failed, but never less than there is. */
function validateSizeUpdate(next: PersistentVolumeClaim, prev: PersistentVolumeClaim): FieldProblem[] {
  const size = next.spec.resources?.requests?.['storage'] ?? '0';
  if (compareQuantities(size, prev.spec.resources?.requests?.['storage'] ?? '0') >= 0) return [];
  if (compareQuantities(size, prev.status?.capacity?.['storage'] ?? '0') > 0) return [];
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')];
}

/** Once a class has been applied, the claim is of some class. */
function validateAttributesClass(name: string | undefined, prev: PersistentVolumeClaim): FieldProblem[] {
  if (name === prev.spec.volumeAttributesClassName || prev.status?.currentVolumeAttributesClassName === undefined) return [];
  const field = 'spec.volumeAttributesClassName';
  if (name === undefined) return [forbiddenField(field, `update to nil is ${fixedClassText}`)];
  return name === '' ? [forbiddenField(field, `update to empty string is ${fixedClassText}`)] : [];
}

export function validateClaimStatus({ spec, status = {} }: PersistentVolumeClaim): FieldProblem[] {
  const problems = (spec.accessModes ?? []).length === 0 ? [required('Spec.accessModes')] : [];
  problems.push(...amounts(status.capacity, validateNotNegative, 'status.capacity'));
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const field = 'status.allocatedResourceStatuses';
    problems.push(...validateResourceKey(name, field));
    if (!resizeStates.includes(state)) problems.push(notSupported(field, name, resizeStates));
  }
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const wrongName = validateResourceKey(name, 'status.allocatedResources');
    const field = `status.allocatedResources[${name}]`;
    const negative = validateNotNegative(amount, field);
    const first = [wrongName, negative].find((found) => found.length > 0);
    problems.push(...(first ?? validateAmount('storage', amount, field)));
  }
  return problems;
}

function amounts(list: Amounts | undefined, check: (amount: string, field: string) => FieldProblem[], path: string): FieldProblem[] {
  return Object.entries(list ?? {}).flatMap(([name, amount]) => check(amount, `${path}[${name}]`));
}

function validateNotNegative(amount: string, field: string): FieldProblem[] {
  const value = quantityValue(amount);
  return value < 0 ? [invalid(field, value, 'must be a valid resource quantity')] : [];
}

/** Storage, or something of another domain. */
function validateResourceKey(name: string, field: string): FieldProblem[] {
  const problems = qualifiedName(field, name);
  return problems.length > 0 || !isNativeResource(name) || name === 'storage' ? problems : [notSupported(field, name, ['storage'])];
}
