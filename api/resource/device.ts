// What a driver says of one device (pkg/apis/resource/validation/validation.go).
import type { V1Counter, V1CounterSet, V1Device, V1DeviceAttribute, V1DeviceCounterConsumption } from '#api/generated/types.ts';
import { validateNodeSelector } from '../core/pod/affinity.ts';
import { equalValues } from '../meta/equality.ts';
import { dnsLabel, invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateCapacity } from './capacity.ts';
import { validateBindingConditions, validateList, validateMap, validateQualifiedName, validateSet, validateTaint } from './checks.ts';

const maxProperties = 32;
const maxTaints = 16;
const maxCounters = 32;
const maxConsumptions = 2;
const valueLimitBytes = 64;
const labelLimit = 63;
const number = '(0|[1-9]\\d*)';
const preRelease = `(${number}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const build = '[0-9a-zA-Z-]+';
const semanticVersion = new RegExp(`^${number}\\.${number}\\.${number}(-${preRelease}(\\.${preRelease})*)?(\\+${build}(\\.${build})*)?$`);
const placeText =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
const noPlaceText =
  '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

/** `previous` is the device of that name before an update: parts that stay as they are were good enough then. */
export function validateDevice(
  device: Unchecked<V1Device>,
  previous: V1Device | undefined,
  hasOwnPlace: boolean,
  path: string,
): FieldProblem[] {
  const { name = '', attributes, capacity, taints, consumesCounters, allowMultipleAllocations = false } = device;
  const problems = dnsLabel(`${path}.name`, name);
  const count = Object.keys(attributes ?? {}).length + Object.keys(capacity ?? {}).length;
  const text = `the total number of attributes and capacities must not exceed ${maxProperties}`;
  if (count > maxProperties) problems.push(invalid(path, count, text));
  problems.push(...validateMap(attributes, { checkKey: validateQualifiedName, check: validateAttribute }, `${path}.attributes`));
  if (previous === undefined || !equalValues(previous.capacity, capacity)) {
    const check = (one: NonNullable<typeof capacity>[string], at: string): FieldProblem[] =>
      validateCapacity(one ?? {}, at, allowMultipleAllocations);
    problems.push(...validateMap(capacity, { checkKey: validateQualifiedName, check }, `${path}.capacity`));
  }
  if (previous === undefined || !equalValues(previous.taints, taints)) {
    problems.push(...validateList(taints, maxTaints, validateTaint, `${path}.taints`));
  }
  const key = ({ counterSet = '' }: Unchecked<V1DeviceCounterConsumption>): string => counterSet;
  problems.push(
    ...validateSet(consumesCounters, { max: maxConsumptions, check: validateConsumption, key }, `${path}.consumesCounters`),
    ...(hasOwnPlace ? validatePlace(device, path) : validateNoPlace(device, path)),
    ...validateBindingConditions(device, path),
  );
  return problems;
}

/** Where the device is, where each of them says so. */
function validatePlace({ nodeName, nodeSelector, allNodes }: Unchecked<V1Device>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const set: string[] = [];
  if (nodeName === '') problems.push(invalid(`${path}.nodeName`, '', 'must not be empty'));
  if (nodeName) {
    set.push('`nodeName`');
    problems.push(...invalidEach(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName)));
  }
  if (nodeSelector !== undefined) {
    set.push('`nodeSelector`');
    problems.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
  }
  if (allNodes === true) set.push('`allNodes`');
  if (allNodes === false) problems.push(invalid(`${path}.allNodes`, false, 'must be either unset or set to true'));
  if (set.length === 0) problems.push(required(path, placeText));
  if (set.length > 1) problems.push(invalid(path, `{${set.join(', ')}}`, placeText));
  return problems;
}

function validateNoPlace({ nodeName, nodeSelector, allNodes }: Unchecked<V1Device>, path: string): FieldProblem[] {
  const isSet = nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined;
  return isSet ? [invalid(path, undefined, noPlaceText)] : [];
}

function validateAttribute(attribute: Unchecked<V1DeviceAttribute> | undefined, path: string): FieldProblem[] {
  const { string, version } = attribute ?? {};
  const problems: FieldProblem[] = [];
  if (string !== undefined && byteLength(string) > valueLimitBytes) problems.push(tooLong(`${path}.string`, valueLimitBytes));
  if (version !== undefined) {
    const text = 'must be a string compatible with semver.org spec 2.0.0';
    if (!semanticVersion.test(version)) problems.push(invalid(`${path}.version`, version, text));
    if (byteLength(version) > valueLimitBytes) problems.push(tooLong(`${path}.version`, valueLimitBytes));
  }
  const count = Object.values(attribute ?? {}).filter((value) => value !== undefined).length;
  const text = 'exactly one value must be specified';
  if (count !== 1) problems.push(invalid(path, count === 0 ? '' : attributeForm(attribute ?? {}), text));
  return problems;
}

/** Upstream's inner form of an attribute. */
function attributeForm({ int, bool, string, version }: Unchecked<V1DeviceAttribute>): object {
  const one = { IntValue: int ?? null, BoolValue: bool ?? null, StringValue: string ?? null, VersionValue: version ?? null };
  return { ...one, IntValues: null, BoolValues: null, StringValues: null, VersionValues: null };
}

export function validateCounterSet({ name = '', counters }: Unchecked<V1CounterSet>, path: string): FieldProblem[] {
  return [...counterName(`${path}.name`, name), ...validateCounters(counters, `${path}.counters`)];
}

function validateConsumption({ counterSet = '', counters }: Unchecked<V1DeviceCounterConsumption>, path: string): FieldProblem[] {
  return [...counterName(`${path}.counterSet`, counterSet), ...validateCounters(counters, `${path}.counters`)];
}

function counterName(field: string, name: string): FieldProblem[] {
  return name === '' ? [required(field)] : dnsLabel(field, name);
}

function validateCounters(counters: Readonly<Record<string, Unchecked<V1Counter> | undefined>> | undefined, path: string): FieldProblem[] {
  if (Object.keys(counters ?? {}).length === 0) return [required(path)];
  const rules = { max: maxCounters, keyLimit: labelLimit, checkKey: (key: string, at: string) => dnsLabel(at, key), check: () => [] };
  return validateMap(counters, rules, path);
}
