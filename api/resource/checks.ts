// Small checks that the kinds of resource.k8s.io share (pkg/apis/resource/validation/validation.go).
import type { V1DeviceTaint, V1DeviceToleration } from '#api/generated/types.ts';
import { validateDriverName } from '../core/volume/csi-references.ts';
import { invalidEach, oneOf, oneOfIfSet, qualifiedName } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, required, tooLong, tooMany } from '../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems, identifierProblems, labelValueProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';

const poolLimitBytes = 253;
const identifierLimitBytes = 32;
const keyLimitBytes = 63 + 1 + identifierLimitBytes;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const taintEffects = ['NoExecute', 'NoSchedule', 'None'];

/** Checks one element of a list. */
export type ItemCheck<T> = (item: T, path: string) => FieldProblem[];

/** A list of at most `max` elements; a longer one is not looked into. */
export function validateList<T>(items: readonly T[] | undefined, max: number, check: ItemCheck<T>, path: string): FieldProblem[] {
  const list = items ?? [];
  if (list.length > max) return [tooMany(path, list.length, max)];
  return list.flatMap((item, at) => check(item, `${path}[${at}]`));
}

export interface SetRules<T> {
  readonly max: number;
  readonly check: ItemCheck<T>;
  /** Two elements with the same key are one too many. Shown as it is. */
  readonly key: (item: T) => unknown;
}

/** As `validateList`, and no two elements may have the same key. */
export function validateSet<T>(items: readonly T[] | undefined, { max, check, key }: SetRules<T>, path: string): FieldProblem[] {
  const list = items ?? [];
  const problems = validateList(list, max, check, path);
  if (list.length > max) return problems;
  const seen = new Set<string>();
  list.forEach((item, at) => {
    const text = JSON.stringify(key(item)) ?? '';
    if (seen.has(text)) problems.push(duplicate(`${path}[${at}]`, key(item)));
    seen.add(text);
  });
  return problems;
}

export interface MapRules<T> {
  readonly max?: number;
  readonly checkKey: ItemCheck<string>;
  readonly check: ItemCheck<T>;
  /** Longer keys are shortened in paths. */
  readonly keyLimit?: number;
}

export function validateMap<T>(map: Readonly<Record<string, T>> | undefined, rules: MapRules<T>, path: string): FieldProblem[] {
  const { max = Number.POSITIVE_INFINITY, checkKey, check, keyLimit = keyLimitBytes } = rules;
  const entries = Object.entries(map ?? {});
  if (entries.length > max) return [tooMany(path, entries.length, max)];
  return entries.flatMap(([key, value]) => [...checkKey(key, path), ...check(value, `${path}[${shortened(key, keyLimit)}]`)]);
}

function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const rest = limit - 3;
  return `${text.slice(0, Math.ceil(rest / 2))}...${text.slice(text.length - Math.floor(rest / 2))}`;
}

/** DNS subdomains with slashes between. */
export function validatePoolName(field: string, name = ''): FieldProblem[] {
  if (name === '') return [required(field)];
  const problems = byteLength(name) > poolLimitBytes ? [tooLong(field, poolLimitBytes)] : [];
  return [...problems, ...name.split('/').flatMap((part) => invalidEach(field, part, dnsSubdomainProblems(part)))];
}

/** Of devices: where there is no name, nothing else is said of it. */
export function validateDriver(name: string, field: string): FieldProblem[] {
  return name === '' ? [required(field)] : validateDriverName(name, field);
}

/** `name` or `driver.example.com/name`. Upstream does not look into what has more slashes. */
export function validateQualifiedName(name: string, field: string): FieldProblem[] {
  const [first = '', second, third] = name.split('/');
  if (third !== undefined) return [];
  if (second === undefined) return validateIdentifier(first, field);
  return [
    ...(first === '' ? [invalid(field, '', 'the domain must not be empty')] : validateDriverName(first, field)),
    ...(second === '' ? [invalid(field, '', 'the name must not be empty')] : validateIdentifier(second, field)),
  ];
}

export function validateFullyQualifiedName(name: string, field: string): FieldProblem[] {
  const problems = validateQualifiedName(name, field);
  if (name.includes('/')) return problems;
  return [...problems, invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash')];
}

function validateIdentifier(id: string, field: string): FieldProblem[] {
  const problems = byteLength(id) > identifierLimitBytes ? [tooLong(field, identifierLimitBytes)] : [];
  return [...problems, ...invalidEach(field, id, identifierProblems(id))];
}

export function validateUid(field: string, uid: string): FieldProblem[] {
  if (!uuid.test(uid)) return [invalid(field, uid, `error validating uid: ${uidFault(uid)}`)];
  if (uid === uid.toLowerCase()) return [];
  const form = '`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
  return [invalid(field, uid, `uid must be in RFC 4122 normalized form, ${form}`)];
}

function uidFault(uid: string): string {
  return uid.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${uid.length}`;
}

/** Parameters for a driver: an object, which is all that the server knows of it. */
export function validateParameters(field: string, parameters: unknown, limitBytes: number): FieldProblem[] {
  if (parameters === undefined || parameters === null) return [required(field)];
  if (byteLength(JSON.stringify(parameters)) > limitBytes) return [tooLong(field, limitBytes)];
  if (typeof parameters === 'object' && !Array.isArray(parameters)) return [];
  return [invalid(field, '<value omitted>', 'must be a valid JSON object')];
}

export function validateTaint(taint: Unchecked<V1DeviceTaint>, path: string): FieldProblem[] {
  const { key = '', value = '', effect } = taint;
  return [
    ...qualifiedName(`${path}.key`, key),
    ...invalidEach(`${path}.value`, value, labelValueProblems(value)),
    ...oneOf(`${path}.effect`, effect, taintEffects),
  ];
}

export function validateToleration(toleration: Unchecked<V1DeviceToleration>, path: string): FieldProblem[] {
  const { key = '', operator = '', value = '', effect } = toleration;
  const problems = key === '' ? [] : qualifiedName(`${path}.key`, key);
  if (operator === 'Exists') {
    if (value !== '') problems.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') {
    problems.push(...invalidEach(`${path}.value`, value, labelValueProblems(value)));
  } else {
    problems.push(...oneOf(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  return [...problems, ...oneOfIfSet(`${path}.effect`, effect === '' ? undefined : effect, taintEffects)];
}

/** Conditions that a device needs to be bound, and those that end the attempt. */
export function validateBindingConditions(
  { bindingConditions = [], bindingFailureConditions = [] }: Unchecked<BindingConditions>,
  path: string,
): FieldProblem[] {
  const [field, failureField] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const check: ItemCheck<string> = (name, at) => qualifiedName(at, name);
  const problems = [
    ...validateList(bindingConditions, maxBindingConditions, check, field),
    ...validateList(bindingFailureConditions, maxBindingConditions, check, failureField),
  ];
  const repeated = (list: readonly string[], at: number): boolean => list.indexOf(list[at] ?? '') < at;
  bindingConditions.forEach((name, at) => {
    if (repeated(bindingConditions, at)) problems.push(duplicate(`${field}[${at}]`, name));
  });
  bindingFailureConditions.forEach((name, at) => {
    if (repeated(bindingFailureConditions, at)) problems.push(duplicate(`${failureField}[${at}]`, name));
    if (bindingConditions.includes(name)) {
      problems.push(invalid(`${failureField}[${at}]`, name, 'bindingFailureConditions must not overlap with bindingConditions'));
    }
  });
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0) {
    problems.push(invalid(field, null, 'bindingConditions are required to use bindingFailureConditions'));
  }
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0) {
    problems.push(invalid(failureField, null, 'bindingFailureConditions are required to use bindingConditions'));
  }
  return problems;
}

interface BindingConditions {
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
}

const maxBindingConditions = 4;
