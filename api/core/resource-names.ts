// What resources may be called, and what their names say about them (pkg/apis/core/helper/helpers.go): used for containers, nodes,
// limit ranges and quotas.
import { invalidEach, qualifiedName } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported } from '../meta/field-problem.ts';
import { qualifiedNameProblems } from '../meta/names.ts';
import { formatQuantity, isWholeQuantity, parseQuantity, signOfQuantity } from '../meta/quantity.ts';

const countedObjects = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const containerResources: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const quotaResources: ReadonlySet<string> = new Set([
  ...containerResources,
  ...[...containerResources].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  'requests.storage',
  ...countedObjects,
]);
const wholeResources: ReadonlySet<string> = new Set(countedObjects);
const hugePages = 'hugepages-';

/** What every node has and every container can ask for. */
export function isContainerResource(name: string): boolean {
  return containerResources.has(name);
}

/** Resources of another domain, such as `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return qualifiedNameProblems(`requests.${name}`).length === 0;
}

/** Resources of Kubernetes itself. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** `hugepages-2Mi`. */
export function isHugePages(name: string): boolean {
  return name.startsWith(hugePages);
}

/** Huge pages, or requests for them as quotas count them. */
function isQuotaHugePages(name: string): boolean {
  return isHugePages(name) || name.startsWith(`requests.${hugePages}`);
}

/** Requests of extended resources and huge pages must equal the limits. */
export function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

/** What a quota can count that needs no domain. */
export function isStandardQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isQuotaHugePages(name);
}

/** Checks one amount of a resource list. */
export function validateAmount(name: string, amount: string, field: string): FieldProblem[] {
  const quantity = parseQuantity(amount);
  const problems: FieldProblem[] = [];
  if (signOfQuantity(quantity) < 0) problems.push(invalid(field, formatQuantity(quantity), 'must be greater than or equal to 0'));
  const isCounted = wholeResources.has(name) || isExtendedResource(name);
  if (isCounted && !isWholeQuantity(quantity)) problems.push(invalid(field, formatQuantity(quantity), 'must be an integer'));
  return problems;
}

/** Any resource that is known, or has a domain. */
export function validateResourceName(name: string, field: string): FieldProblem[] {
  const problems = qualifiedName(field, name);
  if (problems.length > 0 || name.includes('/') || name === 'storage' || isStandardQuotaResource(name)) return problems;
  return [invalid(field, name, 'must be a standard resource type or fully qualified')];
}

/** What a container can ask for. */
export function validateContainerResourceName(name: string, field: string): FieldProblem[] {
  const problems = validateResourceName(name, field);
  if (!name.includes('/')) {
    const isKnown = isContainerResource(name) || isHugePages(name);
    if (!isKnown) problems.push(invalid(field, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    problems.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
  return problems;
}

/** What a pod as a whole can ask for. */
export function validatePodResourceName(name: string, field: string): FieldProblem[] {
  const problems = validateResourceName(name, field);
  if (problems.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)) return problems;
  return [notSupported(field, name, ['cpu', 'hugepages-', 'memory'])];
}

/** What a quota can count. */
export function validateQuotaResourceName(name: string, field: string): FieldProblem[] {
  const problems = validateResourceName(name, field);
  if (name.includes('/') || isStandardQuotaResource(name)) return problems;
  return [...problems, ...invalidEach(field, name, ['must be a standard resource for quota'])];
}
