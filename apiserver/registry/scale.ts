// The scale sub-resource: a view of an object through autoscaling/v1 Scale. Reading builds one from the kind's paths; writing sets
// the one field that a Scale may change.
import type { KindDefinition, ScaleRule } from '#api/kind.ts';
import { invalid, invalidObject } from '#api/meta/field-problem.ts';
import { labelSelectorOf, mapSelectorOf } from '#api/meta/label-selector.ts';
import type { Json, JsonObject, KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { conflict } from '#api/meta/status.ts';
import { cloneJson, isObject } from '#api/patch/json-object.ts';
import type { RequestContext } from './contract.ts';
import type { DecodedKind } from './decode.ts';

export interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

/** How a Scale is decoded and patched. */
export const scaleKind: DecodedKind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: 'io.k8s.api.autoscaling.v1.Scale',
};

/** How to get from an object to its Scale, where that is what a request asks for. */
export function scaleRule(kind: KindDefinition, { subresource }: Pick<RequestContext, 'subresource'>): ScaleRule | undefined {
  return subresource === 'scale' ? kind.subresources?.scale : undefined;
}

/** The Scale of an object. */
export function scaleOf(object: KubeObject, rule: ScaleRule): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = numberAt(object, rule.specReplicas);
  const selector = rule.selector === undefined ? '' : selectorText(valueAt(object, rule.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: defined({ name, namespace, uid, resourceVersion, creationTimestamp }),
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: numberAt(object, rule.statusReplicas), ...(selector === '' ? {} : { selector }) },
  };
}

/** A copy of the object with what the Scale wants. Throws Invalid for a Scale that breaks a rule. */
export function withScale(object: KubeObject, scale: Scale, rule: ScaleRule): KubeObject {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0) {
    const problem = invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalidObject(scaleKind, scale.metadata.name ?? '', [problem]);
  }
  const next = cloneJson(object as never) as KubeObject;
  const path = rule.specReplicas.replace(/^\./, '').split('.');
  let at = next as unknown as JsonObject;
  for (const step of path.slice(0, -1)) {
    const inner = at[step];
    at = isObject(inner) ? inner : ((at[step] = {}) as JsonObject);
  }
  at[path.at(-1) ?? ''] = replicas;
  if (scale.metadata.resourceVersion === undefined) delete next.metadata.resourceVersion;
  else next.metadata.resourceVersion = scale.metadata.resourceVersion;
  return next;
}

/** Refuses a Scale of another object than the one that is there. Throws Conflict. */
export function checkScaleUid(resource: { group: string; plural: string }, { name = '', uid = '' }: ObjectMeta, current: ObjectMeta): void {
  if (uid === '' || uid === current.uid) return;
  throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.uid ?? ''}`);
}

/** Selectors are objects (matchLabels, matchExpressions) or plain maps. */
function selectorText(value: Json | undefined): string {
  if (!isObject(value)) return '';
  const isMap = Object.values(value).every((one) => typeof one === 'string');
  return isMap ? mapSelectorOf(value as Record<string, string>).toString() : labelSelectorOf(value as never).toString();
}

function numberAt(object: KubeObject, path: string): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

function valueAt(object: KubeObject, path: string): Json | undefined {
  let value: Json | undefined = object as unknown as JsonObject;
  for (const step of path.replace(/^\./, '').split('.')) value = isObject(value) ? value[step] : undefined;
  return value;
}

function defined(meta: Record<string, unknown>): KubeObject['metadata'] {
  return Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== undefined));
}
