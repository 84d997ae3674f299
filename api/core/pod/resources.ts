// Requests and limits: names, amounts, and how the two agree.
import type { V1ResourceRequirements } from '#api/generated/types.ts';
import { qualifiedName } from '../../meta/field-checks.ts';
import { type FieldProblem, duplicate, forbiddenField, invalid, notSupported, required, valueNotFound } from '../../meta/field-problem.ts';
import { qualifiedNameProblems } from '../../meta/names.ts';
import { compareQuantities, formatQuantity, isWholeQuantity, parseQuantity, signOfQuantity } from '../../meta/quantity.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const containerResources: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const countedObjects = [
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const quotaResources = ['cpu', 'memory', 'ephemeral-storage', 'storage'];
const standardResources: ReadonlySet<string> = new Set([
  ...quotaResources,
  ...quotaResources.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  ...countedObjects,
]);
const wholeResources: ReadonlySet<string> = new Set(countedObjects);

/** Names that a resource claim of the pod has. */
export type ClaimNames = ReadonlySet<string>;

/** Checks one amount of a resource list. */
export function validateAmount(name: string, amount: string, field: string): FieldProblem[] {
  const quantity = parseQuantity(amount);
  const problems: FieldProblem[] = [];
  if (signOfQuantity(quantity) < 0) problems.push(invalid(field, formatQuantity(quantity), 'must be greater than or equal to 0'));
  const isCounted = wholeResources.has(name) || isExtendedResource(name);
  if (isCounted && !isWholeQuantity(quantity)) problems.push(invalid(field, formatQuantity(quantity), 'must be an integer'));
  return problems;
}

/** Resources of somebody else's domain, such as `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return qualifiedNameProblems(`requests.${name}`).length === 0;
}

function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Requests of extended resources and huge pages must equal the limits. */
function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

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
    problems.push(...validateRequest(name, amount, limits[name], path));
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
  const pageSize = parseQuantity(name.slice('hugepages-'.length));
  const whole = parseQuantity(amount);
  const low = Math.min(pageSize.exponent, whole.exponent);
  const scaled = (digits: bigint, exponent: number): bigint => digits * 10n ** BigInt(exponent - low);
  const isMultiple = scaled(whole.digits, whole.exponent) % scaled(pageSize.digits, pageSize.exponent) === 0n;
  return isMultiple ? [] : [invalid(field, amount, 'must be a positive integer multiple of the page size')];
}

function validateResourceName(name: string, field: string): FieldProblem[] {
  const problems = qualifiedName(field, name);
  if (!name.includes('/') && !standardResources.has(name) && !isHugePages(name) && !isHugePages(name.replace(/^requests\./, ''))) {
    problems.push(invalid(field, name, 'must be a standard resource type or fully qualified'));
  }
  return problems;
}

function validateContainerResourceName(name: string, field: string): FieldProblem[] {
  const problems = validateResourceName(name, field);
  if (!name.includes('/')) {
    const isKnown = containerResources.has(name) || isHugePages(name);
    if (!isKnown) problems.push(invalid(field, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    problems.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
  return problems;
}

function validatePodResourceName(name: string, field: string): FieldProblem[] {
  const problems = validateResourceName(name, field);
  if (problems.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)) return problems;
  return [notSupported(field, name, ['cpu', 'hugepages-', 'memory'])];
}

function validateClaims(claims: readonly { readonly name?: string | undefined }[], claimNames: ClaimNames, path: string): FieldProblem[] {
  const seen = new Set<string>();
  return claims.flatMap(({ name = '' }, at) => {
    const field = `${path}[${at}]`;
    if (name === '') return [required(field)];
    const problems = seen.has(name) ? [duplicate(field, name)] : [];
    seen.add(name);
    if (!claimNames.has(name)) {
      const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].toSorted().join(', ')}`;
      const missing = valueNotFound(field, name);
      problems.push({ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${known}` });
    }
    return problems;
  });
}
