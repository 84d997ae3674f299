// Requests and limits: names, amounts, and how the two agree.
import type { V1ResourceRequirements } from '#api/generated/types.ts';
import { dnsLabel } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, required, valueNotFound } from '../../meta/field-problem.ts';
import { Problems } from '../../meta/problems.ts';
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
import {
  isContainerResource,
  isHugePages,
  mayOvercommit,
  validateAmount,
  validateContainerResourceName,
  validatePodResourceName,
} from '../resource-names.ts';

/** Names that a resource claim of the pod has. */
export type ClaimNames = ReadonlySet<string>;

type Resources = Unchecked<V1ResourceRequirements>;
type Amounts = Readonly<Record<string, string>>;
/** Validates the name of the current quantity. */
type NameRule = (name: string, at: Problems) => void;

/** Requests and limits of a container. */
export function checkContainerResources(resources: Resources, at: Problems, claimNames: ClaimNames): void {
  checkRequirements(resources, at, checkContainerName);
  at.member('claims', resources.claims, checkClaims, claimNames);
}

/** Requests and limits of a whole pod. */
export function checkPodLevelResources(resources: Resources, at: Problems): void {
  if (resources.claims !== undefined) at.forbidden('claims', 'claims may not be set for Resources at pod-level');
  checkRequirements(resources, at, (name) => at.addAll(validatePodResourceName(name, at.path())));
}

/** What running a pod costs besides its containers. */
export function validateOverhead(overhead: Unchecked<Record<string, string>>, path: string): FieldProblem[] {
  return Problems.of(path, { limits: overhead }, checkRequirements, checkContainerName);
}

function checkContainerName(name: string, at: Problems): void {
  if (!isContainerResource(name)) at.addAll(validateContainerResourceName(name, at.path()));
}

interface RequestContext {
  readonly checkName: NameRule;
  readonly limits: Amounts;
}

function checkRequirements(resources: Resources, at: Problems, checkName: NameRule): void {
  const limits = (resources.limits ?? {}) as Amounts;
  const requests = (resources.requests ?? {}) as Amounts;
  at.entries('limits', limits, checkLimit, checkName);
  at.entries('requests', requests, checkRequest, { checkName, limits });
  const hasHugePages = Object.keys(limits).some(isHugePages) || Object.keys(requests).some(isHugePages);
  const hasOther = ['cpu', 'memory'].some((name) => (amountOf(limits, name) ?? amountOf(requests, name)) !== undefined);
  if (hasHugePages && !hasOther) at.forbidden('', 'HugePages require cpu or memory');
}

function checkLimit(amount: string, at: Problems, checkName: NameRule, name: string): void {
  checkName(name, at);
  checkAmount(amount, at, name);
  if (isHugePages(name)) checkHugePages(amount, at, name);
}

function checkRequest(amount: string, at: Problems, { checkName, limits }: RequestContext, name: string): void {
  checkName(name, at);
  checkAmount(amount, at, name);
  const limit = amountOf(limits, name);
  if (limit !== undefined) checkAgainstLimit(amount, limit, at, name);
  else if (!mayOvercommit(name)) at.add(required(at.path('limits', 2), 'Limit must be set for non overcommitable resources'));
  if (isHugePages(name)) checkHugePages(amount, at, name);
}

/** What every container has may be any amount but a negative one. */
function checkAmount(amount: string, at: Problems, name: string): void {
  if (!isContainerResource(name) || signOfQuantity(amount) < 0) at.addAll(validateAmount(name, amount, at.path()));
}

function checkAgainstLimit(amount: string, limit: string, at: Problems, name: string): void {
  const order = compareQuantities(amount, limit);
  if (order === 0 || (order < 0 && mayOvercommit(name))) return;
  const text = `${name} limit of ${formatQuantity(parseQuantity(limit))}`;
  const relation = mayOvercommit(name) ? 'less than or equal to' : 'equal to';
  at.add(invalid(at.path('requests', 2), formatQuantity(parseQuantity(amount)), `must be ${relation} ${text}`));
}

function checkHugePages(amount: string, at: Problems, name: string): void {
  const whole = parseQuantity(amount);
  if (isMultipleOfPage(name.slice('hugepages-'.length), whole)) return;
  const shown = formatQuantity(whole);
  at.invalid('', shown, `${shown} is not positive integer multiple of ${name}`);
}

function isMultipleOfPage(pageText: string, whole: Quantity): boolean {
  if (!isQuantity(pageText)) return false;
  const page = parseQuantity(pageText);
  return signOfQuantity(page) > 0 && isWholeQuantity(page) && quantityValue(whole) % quantityValue(page) === 0;
}

type Claim = { readonly name?: string | undefined; readonly request?: string | undefined };

/** Each claim once: whole, or by different requests of it. */
function checkClaims(claims: readonly Claim[], at: Problems, claimNames: ClaimNames): void {
  const wholes = new Set<string>();
  const parts = new Map<string, Set<string>>();
  for (const [index, { name = '', request = '' }] of claims.entries()) {
    const field = `${at.path()}[${index}]`;
    if (name === '') {
      at.add(required(field));
      continue;
    }
    const ofThis = parts.get(name) ?? new Set<string>();
    if (wholes.has(name)) {
      at.add(duplicate(field, name));
    } else if (request === '') {
      for (const _part of ofThis) at.add(duplicate(field, name));
      wholes.add(name);
    } else {
      at.addAll(dnsLabel(`${field}.request`, request));
      if (ofThis.has(request)) at.add(duplicate(field, `${name}/${request}`));
      parts.set(name, ofThis.add(request));
    }
    if (claimNames.has(name)) continue;
    const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].toSorted().join(', ')}`;
    const missing = valueNotFound(field, name);
    at.add({ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${known}` });
  }
}
