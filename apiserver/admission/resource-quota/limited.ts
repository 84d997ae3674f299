// What may be used only where a quota covers it (the plugin's configuration, `limitedResources`).
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import { type Measure, type Scope, scopesOf } from '#api/core/quota/measure.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { signOfQuantity } from '#api/meta/quantity.ts';

/** Amounts of one kind whose names contain one of `matchContains`; and objects, of whatever kind, in one of `matchScopes`. */
export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource?: string;
  readonly matchContains?: readonly string[];
  readonly matchScopes?: readonly Scope[];
}

/** The amounts that some quota must count, in their order. */
export function limitedNames(limited: readonly LimitedResource[], { group, names }: Resource, usage: Amounts): string[] {
  const parts = limited
    .filter(({ apiGroup = '', resource }) => apiGroup === group && resource === names.plural)
    .flatMap(({ matchContains = [] }) => matchContains);
  return Object.keys(usage)
    .filter((name) => signOfQuantity(usage[name] ?? '0') > 0 && parts.some((part) => name.includes(part)))
    .toSorted();
}

/** The limited scopes an object is in that no quota of its namespace names, as upstream shows them; undefined for none. */
export function uncoveredScopes(
  limited: readonly LimitedResource[],
  quotas: readonly ResourceQuota[],
  object: KubeObject,
  measure: Measure,
): string | undefined {
  const isIn = (scope: Scope): boolean => measure.isInScope(scope, object);
  const wanted = limited.flatMap(({ matchScopes = [] }) => matchScopes).filter(isIn);
  if (wanted.length === 0) return undefined;
  const covered = new Set(
    quotas
      .flatMap(scopesOf)
      .filter(isIn)
      .map(({ scopeName }) => scopeName),
  );
  const open = wanted.filter(({ scopeName }) => !covered.has(scopeName));
  if (open.length === 0) return undefined;
  return `[${open.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`).join(' ')}]`;
}
