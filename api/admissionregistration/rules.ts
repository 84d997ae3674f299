// Which requests webhooks and policies are about (pkg/apis/admissionregistration/validation/validation.go).
import type { V1MatchCondition, V1MatchResources, V1NamedRuleWithOperations, V1RuleWithOperations } from '#api/generated/types.ts';
import { oneOf, oneOfIfSet, qualifiedName, validateLabelSelector } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required, tooMany } from '../meta/field-problem.ts';
import { nameIsPathSegment } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';

const operationNames = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const mutableOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const matchPolicies = ['Equivalent', 'Exact'];
const maxConditions = 64;
const staticSuffix = '.static.k8s.io';

export const failurePolicies = ['Fail', 'Ignore'];
export const reinvocationPolicies = ['IfNeeded', 'Never'];

type Rule = Unchecked<V1RuleWithOperations>;

/** Names with this ending are for policies from files. */
export function warnOfStaticName({ metadata: { name = '' } }: { readonly metadata: { readonly name?: string } }): string[] {
  if (!name.endsWith(staticSuffix)) return [];
  return [
    `metadata.name: names ending with ${JSON.stringify(staticSuffix)} are reserved for static manifest-based configurations and cannot be managed via the API`,
  ];
}

/** Rules match both scopes by default. */
export function defaultRules(rules: readonly V1RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

export function defaultMatchResources(match: V1MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

export function validateRule(rule: Rule, path: string): FieldProblem[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const problems = validateWildcard(operations, `${path}.operations`, 'operations');
  operations.forEach((operation, at) => {
    if (!operationNames.includes(operation)) problems.push(notSupported(`${path}.operations[${at}]`, operation, operationNames));
  });
  problems.push(
    ...validateWildcard(apiGroups, `${path}.apiGroups`, 'API groups'),
    ...validateWildcard(apiVersions, `${path}.apiVersions`, 'API versions'),
  );
  apiVersions.forEach((version, at) => {
    if (version === '') problems.push(required(`${path}.apiVersions[${at}]`));
  });
  return [...problems, ...validateResources(resources, `${path}.resources`), ...oneOfIfSet(`${path}.scope`, scope, scopes)];
}

/** Not empty, and `*` only alone. */
function validateWildcard(list: readonly string[], field: string, others: string): FieldProblem[] {
  if (list.length === 0) return [required(field)];
  if (list.length === 1 || !list.includes('*')) return [];
  return [invalid(field, list, `if '*' is present, must not specify other ${others}`)];
}

function validateResources(resources: readonly string[], field: string): FieldProblem[] {
  if (resources.length === 0) return [required(field)];
  const problems: FieldProblem[] = [];
  const [allPartsOf, partOfAll] = [new Set<string>(), new Set<string>()];
  let hasWholeResource = false;
  resources.forEach((text, at) => {
    const slash = text.indexOf('/');
    if (text === '') problems.push(required(`${field}[${at}]`));
    else if (slash < 0) hasWholeResource = text !== '*';
    if (slash < 0) return;
    const [resource, part] = [text.slice(0, slash), text.slice(slash + 1)];
    const refuse = (present: string): void => {
      problems.push(invalid(`${field}[${at}]`, text, `if '${present}' is present, must not specify ${text}`));
    };
    if (allPartsOf.has(resource)) refuse(`${resource}/*`);
    if (partOfAll.has(part)) refuse(`*/${part}`);
    if (part === '*') allPartsOf.add(resource);
    if (resource === '*') partOfAll.add(part);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    problems.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && hasWholeResource) {
    problems.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return problems;
}

/** `forMutation`: what is deleted cannot be changed. */
export function validateMatchResources(match: Unchecked<V1MatchResources>, path: string, { forMutation = false } = {}): FieldProblem[] {
  const { matchPolicy, namespaceSelector, objectSelector, resourceRules = [], excludeResourceRules = [] } = match;
  const problems = oneOf(`${path}.matchPolicy`, matchPolicy, matchPolicies);
  for (const [field, selector] of Object.entries({ namespaceSelector, objectSelector })) {
    if (selector === undefined) problems.push(required(`${path}.${field}`));
    else problems.push(...validateLabelSelector(selector, `${path}.${field}`));
  }
  resourceRules.forEach((rule, at) => problems.push(...validateNamedRule(rule, `${path}.resourceRules[${at}]`)));
  excludeResourceRules.forEach((rule, at) => problems.push(...validateNamedRule(rule, `${path}.excludeResourceRules[${at}]`)));
  return forMutation ? [...problems, ...validateMutable(resourceRules, `${path}.resourceRules.operations`)] : problems;
}

function validateMutable(rules: readonly Rule[], field: string): FieldProblem[] {
  return rules
    .flatMap(({ operations = [] }) => operations)
    .flatMap((operation) => (mutableOperations.includes(operation) ? [] : [notSupported(field, operation, mutableOperations)]));
}

function validateNamedRule(rule: Unchecked<V1NamedRuleWithOperations>, path: string): FieldProblem[] {
  const names = rule.resourceNames ?? [];
  const problems = names.flatMap((name, at) => {
    const field = `${path}.resourceNames[${at}]`;
    const texts = nameIsPathSegment(name, false).map((text) => invalid(field, name, text));
    return names.indexOf(name) < at ? [...texts, duplicate(field, name)] : texts;
  });
  return [...problems, ...validateRule(rule, path)];
}

/** Names and presence; expressions are not compiled. */
export function validateMatchConditions(conditions: readonly Unchecked<V1MatchCondition>[] | undefined, path: string): FieldProblem[] {
  const list = conditions ?? [];
  const problems = list.length > maxConditions ? [tooMany(path, list.length, maxConditions)] : [];
  list.forEach(({ name = '', expression = '' }, at) => {
    if (expression.trim() === '') problems.push(required(`${path}[${at}].expression`));
    problems.push(...(name === '' ? [required(`${path}[${at}].name`)] : qualifiedName(`${path}[${at}].name`, name)));
    const isRepeated = name !== '' && list.findIndex((other) => other.name === name) < at;
    if (isRepeated) problems.push(duplicate(`${path}[${at}].name`, name));
  });
  return problems;
}
