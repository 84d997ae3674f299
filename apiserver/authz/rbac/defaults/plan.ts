// How a default role or binding that exists is brought back to what it must hold (upstream's component-helpers/auth/rbac/reconciliation):
// what is missing comes back, what people added stays, and who sets the annotation to `false` is left alone.
import type { V1AggregationRule, V1LabelSelector } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { missingRules } from '../rules.ts';
import { autoUpdateAnnotation, type BindingObject, type RoleObject } from './objects.ts';

export type Repair =
  | { readonly kind: 'keep' }
  | { readonly kind: 'change'; readonly object: KubeObject }
  /** What a binding binds cannot change: it is deleted and made anew. */
  | { readonly kind: 'replace'; readonly object: KubeObject };

const keep: Repair = { kind: 'keep' };

export function repairRole(found: RoleObject, wanted: RoleObject): Repair {
  if (isProtected(found)) return keep;
  const { rules, aggregationRule, ...rest } = withDefaultMarks(found, wanted);
  const missing = wanted.aggregationRule === undefined ? missingRules(rules ?? [], wanted.rules ?? []) : [];
  const gathers = repairedAggregation(aggregationRule, wanted.aggregationRule);
  const object = {
    ...rest,
    ...(rules === undefined && missing.length === 0 ? {} : { rules: [...(rules ?? []), ...missing] }),
    ...(gathers === undefined ? {} : { aggregationRule: gathers }),
  } as RoleObject;
  return equalValues(object, found) ? keep : { kind: 'change', object };
}

export function repairBinding(found: BindingObject, wanted: BindingObject): Repair {
  if (isProtected(found)) return keep;
  const marked = withDefaultMarks(found, wanted);
  const { subjects = [] } = marked;
  const missing = (wanted.subjects ?? []).filter((one) => !subjects.some((other) => equalValues(one, other)));
  const object = missing.length === 0 ? marked : { ...marked, subjects: [...subjects, ...missing] };
  if (!equalValues(found.roleRef, wanted.roleRef)) {
    const { name, namespace, labels, annotations } = object.metadata;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels, annotations } as KubeObject['metadata'];
    return { kind: 'replace', object: { ...object, metadata, roleRef: wanted.roleRef } as BindingObject };
  }
  return equalValues(object, found) ? keep : { kind: 'change', object };
}

/** A role that should gather nothing stops doing so; selectors that it should have come back. */
function repairedAggregation(found: V1AggregationRule | undefined, wanted: V1AggregationRule | undefined): V1AggregationRule | undefined {
  if (wanted === undefined) return undefined;
  const selectors: readonly V1LabelSelector[] = found?.clusterRoleSelectors ?? [];
  const missing = (wanted.clusterRoleSelectors ?? []).filter((one) => !selectors.some((other) => equalValues(one, other)));
  return missing.length === 0 && found !== undefined ? found : { clusterRoleSelectors: [...selectors, ...missing] };
}

/** With the labels and annotations of default objects; what is set to something else stays. */
function withDefaultMarks<T extends KubeObject>(found: T, { metadata: wanted }: KubeObject): T {
  const labels = { ...wanted.labels, ...found.metadata.labels };
  const annotations = { ...wanted.annotations, ...found.metadata.annotations };
  return { ...found, metadata: { ...found.metadata, labels, annotations } };
}

function isProtected({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[autoUpdateAnnotation] === 'false';
}
