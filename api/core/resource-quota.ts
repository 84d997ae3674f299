import { addAll } from '../meta/add-all.ts';
import type { V1ResourceQuota, V1ResourceQuotaSpec, V1ScopedResourceSelectorRequirement } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { goForm } from '../meta/go-form.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { isStandardQuotaResource, validateAmount, validateQuotaResourceName } from './resource-names.ts';

export interface ResourceQuota extends V1ResourceQuota {
  metadata: ObjectMeta;
  spec: V1ResourceQuotaSpec;
}

const podCounts = ['pods'];
const podResources = [...podCounts, ...['', 'limits.', 'requests.'].flatMap((prefix) => [`${prefix}cpu`, `${prefix}memory`])];

/** Scopes by what they can restrict. */
const scopes: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Terminating', new Set(podResources)],
  ['NotTerminating', new Set(podResources)],
  ['BestEffort', new Set(podCounts)],
  ['NotBestEffort', new Set(podResources)],
  ['PriorityClass', new Set(podResources)],
  ['CrossNamespacePodAffinity', new Set(podResources)],
  ['VolumeAttributesClass', new Set(['persistentvolumeclaims', 'requests.storage'])],
]);
/** Scopes without values: an object is in them or not. */
const valueless: ReadonlySet<string> = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  scope: 'namespaced',
  names: { plural: 'resourcequotas', short: ['quota'] },
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  answersDeleted: true,
  defaults: [
    (object) => {
      object.spec ??= {};
      object.status ??= {};
    },
  ],
  prepareCreate: (created) => {
    created.status = {};
  },
  validate: validateQuota,
  validateUpdate: (next, prev, { subresource }) => (subresource === 'status' ? [] : validateSameScopes(next.spec, prev.spec)),
  columns: [
    nameColumn,
    {
      name: 'Request',
      description: 'Request represents a minimum amount of cpu/memory that a container may consume.',
      value: (object) => usageText(object, (name) => !name.startsWith('limits')),
    },
    {
      name: 'Limit',
      description: 'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      value: (object) => usageText(object, (name) => name.startsWith('limits')),
    },
    ageColumn,
  ],
  subresources: { status: true },
});

/** `cpu: 1/4, memory: 1Gi/8Gi` for the wanted ones of what is limited, sorted. */
function usageText({ status }: ResourceQuota, isWanted: (name: string) => boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter(isWanted)
    .toSorted()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name] ?? '0'}`)
    .join(', ');
}

function validateQuota({ spec, status }: ResourceQuota, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')];
  const resources = Object.keys(spec.hard ?? {}).toSorted();
  return [
    ...validateAmounts(spec.hard, 'spec.hard'),
    ...validateScopes(spec, resources, 'spec.scopes'),
    ...validateScopeSelector(spec, resources, 'spec.scopeSelector.matchExpressions'),
  ];
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const field = `${path}[${name}]`;
    return [...validateQuotaResourceName(name, field), ...validateAmount(name, amount, field)];
  });
}

function validateScopes(spec: V1ResourceQuotaSpec, resources: readonly string[], path: string): FieldProblem[] {
  const given = spec.scopes ?? [];
  const problems: FieldProblem[] = [];
  for (const scope of given) {
    if (!scopes.has(scope)) problems.push(invalid(path, given, 'unsupported scope'));
    for (const _name of resources.filter((name) => !suits(scope, name))) {
      problems.push(invalid(path, given, 'unsupported scope applied to resource'));
    }
  }
  return [...problems, ...conflicts(given).map((text) => invalid(path, given, text))];
}

/** The messages name no index, as upstream's do. */
function validateScopeSelector(spec: Unchecked<V1ResourceQuotaSpec>, resources: readonly string[], path: string): FieldProblem[] {
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  const problems: FieldProblem[] = [];
  for (const { scopeName: scope = '', operator = '', values = [] } of expressions) {
    if (!scopes.has(scope)) problems.push(invalid(`${path}.scopeName`, scope, 'unsupported scope'));
    for (const _name of resources.filter((name) => !suits(scope, name))) {
      problems.push(invalid(path, shownSelector(expressions), 'unsupported scope applied to resource'));
    }
    if (valueless.has(scope) && operator !== 'Exists') {
      const text =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      problems.push(invalid(`${path}.operator`, operator, text));
    }
    addAll(problems, validateValues(operator, values, path));
  }
  const names = expressions.map(({ scopeName = '' }) => scopeName);
  return [...problems, ...conflicts(names).map((text) => invalid(path, spec.scopes ?? null, text))];
}

function shownSelector(expressions: readonly Unchecked<V1ScopedResourceSelectorRequirement>[]): object {
  return { MatchExpressions: expressions.map((one) => goForm(one, ['ScopeName', 'Operator', 'Values'])) };
}

function validateValues(operator: string, values: readonly string[], path: string): FieldProblem[] {
  if (operator === 'In' || operator === 'NotIn') {
    const text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    return values.length === 0 ? [required(`${path}.values`, text)] : [];
  }
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    return values.length > 0 ? [invalid(`${path}.values`, values, text)] : [];
  }
  return [invalid(`${path}.operator`, operator, 'not a valid selector operator')];
}

/** Whether a scope can restrict a resource; of unknown ones nothing is said. */
function suits(scope: string, resource: string): boolean {
  return !isStandardQuotaResource(resource) || (scopes.get(scope)?.has(resource) ?? true);
}

function conflicts(given: readonly string[]): string[] {
  return opposites.filter((pair) => pair.every((scope) => given.includes(scope))).map(() => 'conflicting scopes');
}

/** Scopes stay, in whatever order. */
function validateSameScopes(next: V1ResourceQuotaSpec, prev: V1ResourceQuotaSpec): FieldProblem[] {
  const isSame = new Set(next.scopes).symmetricDifference(new Set(prev.scopes)).size === 0;
  return isSame ? [] : [invalid('spec.scopes', next.scopes ?? null, immutableText)];
}
