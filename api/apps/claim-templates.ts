// The claims that every pod of a StatefulSet gets one of.
import type { V1PersistentVolumeClaim, V1PodTemplateSpec } from '#api/generated/types.ts';
import { claimSpecWarnings, defaultClaimSpec, validateClaimSpec } from '../core/persistent-volume-claim/spec.ts';
import type { FieldProblem } from '../meta/field-problem.ts';
import type { Unchecked } from '../meta/unchecked.ts';

type Claims = readonly Unchecked<V1PersistentVolumeClaim>[];

const path = 'spec.volumeClaimTemplates';

/** Fills in what claims have by themselves; kind and version always stand in them, as in no other embedded object. */
export function defaultClaimTemplate(claim: V1PersistentVolumeClaim): void {
  claim.apiVersion = 'v1';
  claim.kind = 'PersistentVolumeClaim';
  claim.metadata ??= {};
  claim.spec ??= {};
  defaultClaimSpec(claim.spec);
  const status = (claim.status ??= {});
  if (!status.phase) status.phase = 'Pending';
}

export function validateClaimTemplates(claims: Claims): FieldProblem[] {
  return claims.flatMap(({ spec = {} }, at) => validateClaimSpec(spec, `${path}[${at}].spec`));
}

export function claimTemplateWarnings(claims: readonly V1PersistentVolumeClaim[]): string[] {
  return claims.flatMap(({ spec }, at) => (spec === undefined ? [] : claimSpecWarnings(spec, `${path}[${at}]`)));
}

/** The template as pods will have it: a claim stands in for the volume of its name. */
export function withClaimVolumes(template: Unchecked<V1PodTemplateSpec>, claims: Claims): Unchecked<V1PodTemplateSpec> {
  if (claims.length === 0) return template;
  const names = claims.map(({ metadata }) => metadata?.name ?? '');
  const others = (template.spec?.volumes ?? []).filter(({ name = '' }) => !names.includes(name));
  const volumes = [...others, ...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))];
  return { ...template, spec: { ...template.spec, volumes } };
}
