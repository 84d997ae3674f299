// Requests and limits: names, amounts, and how the two agree.
import type { V1ResourceRequirements } from '#api/generated/types.ts';
import { dnsLabel } from '../../meta/field-checks.ts';
import { type FieldProblem, duplicate, forbiddenField, invalid, required, valueNotFound } from '../../meta/field-problem.ts';
import {
  amountOf,
  compareQuantities,
  formatQuantity,
  isQuantity,
  isWholeQuantity,
  parseQuantity,
  type Quantity,
  quantityValue,
  signOfQuantity,
} from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { isHugePages, mayOvercommit, validateAmount, validateContainerResourceName, validatePodResourceName } from '../resource-names.ts';

/** Names that a resource claim of the pod has. */
export type ClaimNames = ReadonlySet<string>;

/** Requests and limits of a container. */
export function validateContainerResources(
  resources: Unchecked<V1ResourceRequirements> | undefined,
  claimNames: ClaimNames,
  path: string,
): FieldProblem[] {
  return [
    ...validateRequirements(resources ?? {}, validateContainerResourceName, path),
    ...validateClaims(resources?.claims ?? [], claimNames, `${path}.claims`),
  ];
}

/** Requests and limits of a whole pod. */
export function validatePodLevelResources(resources: Unchecked<V1ResourceRequirements>, path: string): FieldProblem[] {
  const problems =
    resources.claims === undefined ? [] : [forbiddenField(`${path}.claims`, 'claims cannot be set for Resources at pod-level')];
  return [...problems, ...validateRequirements(resources, validatePodResourceName, path)];
}

type NameRule = (name: string, field: string) => FieldProblem[];

function validateRequirements(resources: Unchecked<V1ResourceRequirements>, validateName: NameRule, path: string): FieldProblem[] {
  const limits = (resources.limits ?? {}) as Readonly<Record<string, string>>;
  const requests = (resources.requests ?? {}) as Readonly<Record<string, string>>;
  const problems: FieldProblem[] = [];
  for (const [name, amount] of Object.entries(limits)) {
    const field = `${path}.limits[${name}]`;
    problems.push(...validateName(name, field), ...validateAmount(name, amount, field), ...validateHugePages(name, amount, field));
  }
  for (const [name, amount] of Object.entries(requests)) {
    const field = `${path}.requests[${name}]`;
    problems.push(...validateName(name, field), ...validateAmount(name, amount, field));
    problems.push(...validateRequest(name, amount, amountOf(limits, name), path));
    problems.push(...validateHugePages(name, amount, field));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    problems.push(forbiddenField(path, 'HugePages require cpu or memory'));
  }
  return problems;
}

function validateRequest(name: string, amount: string, limit: string | undefined, path: string): FieldProblem[] {
  if (limit === undefined) {
    return mayOvercommit(name) ? [] : [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const order = compareQuantities(amount, limit);
  const text = `${name} limit of ${formatQuantity(parseQuantity(limit))}`;
  const shown = formatQuantity(parseQuantity(amount));
  if (order !== 0 && !mayOvercommit(name)) return [invalid(`${path}.requests`, shown, `must be equal to ${text}`)];
  return order > 0 ? [invalid(`${path}.requests`, shown, `must be less than or equal to ${text}`)] : [];
}

function validateHugePages(name: string, amount: string, field: string): FieldProblem[] {
  if (!isHugePages(name)) return [];
  const whole = parseQuantity(amount);
  const text = `${formatQuantity(whole)} is not positive integer multiple of ${name}`;
  return isMultipleOfPage(name.slice('hugepages-'.length), whole) ? [] : [invalid(field, formatQuantity(whole), text)];
}

function isMultipleOfPage(pageText: string, whole: Quantity): boolean {
  if (!isQuantity(pageText)) return false;
  const page = parseQuantity(pageText);
  return signOfQuantity(page) > 0 && isWholeQuantity(page) && quantityValue(whole) % quantityValue(page) === 0;
}

type Claim = { readonly name?: string | undefined; readonly request?: string | undefined };

/** Each claim once: whole, or by different requests of it. */
function validateClaims(claims: readonly Claim[], claimNames: ClaimNames, path: string): FieldProblem[] {
  const wholes = new Set<string>();
  const parts = new Map<string, Set<string>>();
  return claims.flatMap(({ name = '', request = '' }, at) => {
    const field = `${path}[${at}]`;
    if (name === '') return [required(field)];
    const problems: FieldProblem[] = [];
    const ofThis = parts.get(name) ?? new Set<string>();
    if (wholes.has(name)) {
      problems.push(duplicate(field, name));
    } else if (request === '') {
      for (const _part of ofThis) problems.push(duplicate(field, name));
      wholes.add(name);
    } else {
      problems.push(...dnsLabel(`${field}.request`, request));
      if (ofThis.has(request)) problems.push(duplicate(field, `${name}/${request}`));
      parts.set(name, ofThis.add(request));
    }
    if (!claimNames.has(name)) {
      const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].toSorted().join(', ')}`;
      const missing = valueNotFound(field, name);
      problems.push({ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${known}` });
    }
    return problems;
  });
}
