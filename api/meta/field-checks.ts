// Small checks that validation of all kinds is put together from.
import { addAll } from './add-all.ts';
import type { V1LabelSelector } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from './field-problem.ts';
import { percentOf } from './int-or-string.ts';
import {
  dnsLabelProblems,
  dnsSubdomainProblems,
  httpPathProblems,
  labelValueProblems,
  nameIsPathSegment,
  percentProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from './names.ts';
import { validateLabels } from './object-meta.ts';
import type { Unchecked } from './unchecked.ts';

/** `Invalid value` once for each message. */
export function invalidEach(field: string, value: unknown, messages: readonly string[]): FieldProblem[] {
  return messages.map((message) => invalid(field, value, message));
}

/** Zero is fine, as is nothing. */
export function notNegative(field: string, value: number | undefined): FieldProblem[] {
  return value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
}

/** One of the supported values; required when missing. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): FieldProblem[] {
  if (value === undefined || value === '') return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** As `oneOf`, but may be missing. */
export function oneOfIfSet(field: string, value: string | undefined, supported: readonly string[]): FieldProblem[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

export function dnsLabel(field: string, value: string): FieldProblem[] {
  return invalidEach(field, value, dnsLabelProblems(value));
}

export function qualifiedName(field: string, value: string): FieldProblem[] {
  return invalidEach(field, value, qualifiedNameProblems(value));
}

/** A name that must be there and fit into a URL's path, whatever the kind it names. */
export function pathSegment(field: string, value: string): FieldProblem[] {
  return value === '' ? [required(field)] : invalidEach(field, value, nameIsPathSegment(value, false));
}

/** `acme.io/foo`: a domain, then any path. */
export function domainPrefixedPath(field: string, value: string): FieldProblem[] {
  if (value === '') return [required(field)];
  const slash = value.indexOf('/');
  if (slash < 1 || slash === value.length - 1) return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const domain = value.slice(0, slash);
  const path = value.slice(slash + 1);
  return [...invalidEach(field, domain, dnsSubdomainProblems(domain)), ...invalidEach(field, path, httpPathProblems(path))];
}

/** A port by number or by name. */
export function portNumberOrName(field: string, port: number | string | undefined): FieldProblem[] {
  if (typeof port === 'string') return invalidEach(field, port, portNameProblems(port));
  return invalidEach(field, port ?? 0, portNumberProblems(port ?? 0));
}

/** A count that is not negative, or a percentage. */
export function countOrPercent(field: string, value: number | string | undefined): FieldProblem[] {
  return typeof value === 'string' ? invalidEach(field, value, percentProblems(value)) : notNegative(field, value);
}

/** No percentage of more than all. */
export function notMoreThanAll(field: string, value: number | string | undefined): FieldProblem[] {
  const isMore = typeof value === 'string' && (percentOf(value) ?? 0) > 100;
  return isMore ? [invalid(field, value, 'must not be greater than 100%')] : [];
}

/** A counter in a status that only rises; undefined is 0. */
export function notDecremented(field: string, next: number | undefined, prev: number | undefined): FieldProblem[] {
  return (next ?? 0) < (prev ?? 0) ? [invalid(field, next ?? 0, 'cannot be decremented')] : [];
}

/** A label selector object; undefined is fine here. */
export function validateLabelSelector(selector: Unchecked<V1LabelSelector> | undefined, field: string): FieldProblem[] {
  if (selector === undefined) return [];
  const problems = validateLabels(selector.matchLabels as Record<string, string> | undefined, `${field}.matchLabels`);
  for (const [at, { key = '', operator = '', values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${at}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) problems.push(forbiddenField(`${path}.values`, text));
    } else {
      problems.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
    }
    addAll(problems, qualifiedName(`${path}.key`, key));
    values.forEach((value, index) => addAll(problems, invalidEach(`${path}.values[${index}]`, value, labelValueProblems(value))));
  }
  return problems;
}
