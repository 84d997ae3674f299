// How a capacity of a device may be divided (pkg/apis/resource/validation/validation.go).
import type { V1CapacityRequestPolicy, V1CapacityRequestPolicyRange, V1DeviceCapacity } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import { addQuantities, canonicalQuantity, compareQuantities, formatQuantity, quantityValue, signOfQuantity } from '../meta/quantity.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateSet } from './checks.ts';

const maxValues = 10;

/** A capacity of a device that one claim has for itself, or that several share. */
export function validateCapacity(capacity: Unchecked<V1DeviceCapacity>, path: string, isShared: boolean): FieldProblem[] {
  const { value = '0', requestPolicy } = capacity;
  if (requestPolicy === undefined) return [];
  const field = `${path}.requestPolicy`;
  if (!isShared) return [forbiddenField(field, 'allowMultipleAllocations must be true')];
  return validatePolicy(requestPolicy, value, field);
}

function validatePolicy(policy: Unchecked<V1CapacityRequestPolicy>, capacity: string, path: string): FieldProblem[] {
  const { default: usual, validRange, validValues = [] } = policy;
  if (validValues.length > 0 && validRange !== undefined) {
    const text = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbiddenField(path, text)];
  }
  if (validValues.length > 0) {
    if (usual === undefined) return [required(`${path}.default`, 'required when validValues is defined')];
    return validateValues(validValues, usual, capacity, `${path}.validValues`);
  }
  if (validRange === undefined) return [];
  if (usual === undefined) return [required(`${path}.default`, 'required when validRange is defined')];
  return validateRange(validRange, usual, capacity, `${path}.validRange`);
}

function validateValues(values: readonly string[], usual: string, capacity: string, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  values.forEach((value, at) => {
    const text = 'values must be sorted in ascending order';
    if (at > 0 && compareQuantities(values[at - 1] ?? '0', value) > 0) problems.push(invalid(`${path}[${at}]`, show(value), text));
  });
  const check = (value: string, field: string): FieldProblem[] => {
    const text = `option is larger than capacity value: ${show(capacity)}`;
    return compareQuantities(value, capacity) > 0 ? [invalid(field, show(value), text)] : [];
  };
  problems.push(...validateSet(values, { max: maxValues, check, key: (value) => String(quantityValue(value)) }, path));
  if (!values.some((value) => compareQuantities(value, usual) === 0)) {
    problems.push(invalid(path, show(usual), 'default value is not valid according to the requestPolicy'));
  }
  return problems;
}

function validateRange(range: Unchecked<V1CapacityRequestPolicyRange>, usual: string, capacity: string, path: string): FieldProblem[] {
  const { min, max, step } = range;
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')];
  const problems: FieldProblem[] = [];
  const refuse = (field: string, value: string, text: string): void => {
    problems.push(invalid(`${path}.${field}`, show(value), text));
  };
  if (compareQuantities(min, capacity) > 0) refuse('min', min, `min is larger than capacity value: ${show(capacity)}`);
  if (compareQuantities(usual, min) < 0) refuse('min', usual, `default is less than min: ${show(min)}`);
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0) refuse('max', min, `min is larger than max: ${show(max)}`);
    if (compareQuantities(max, capacity) > 0) refuse('max', max, `max is larger than capacity value: ${show(capacity)}`);
    if (compareQuantities(usual, max) > 0) refuse('max', usual, `default is more than max: ${show(max)}`);
  }
  if (step === undefined) return problems;
  if (signOfQuantity(step) <= 0) {
    refuse('step', step, 'must be greater than zero');
    return problems;
  }
  const first = formatQuantity(addQuantities(min, step));
  if (compareQuantities(first, capacity) > 0) {
    refuse('step', step, `one step ${first} is larger than capacity value: ${show(capacity)}`);
  }
  for (const value of max === undefined ? [usual] : [usual, max]) {
    const isMultiple = (quantityValue(value) - quantityValue(min)) % quantityValue(step) === 0;
    if (!isMultiple) refuse('step', value, `value is not a multiple of a given step (${show(step)}) from (${show(min)})`);
  }
  return problems;
}

function show(amount: string): string {
  return canonicalQuantity(amount);
}
