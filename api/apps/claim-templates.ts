// The claims that every pod of a StatefulSet gets one of.
import type { V1PersistentVolumeClaim, V1PodTemplateSpec } from '#api/generated/types.ts';
import { roundAmounts } from '../core/pod/container-defaults.ts';
import { formatQuantity, isWholeQuantity, parseQuantity } from '../meta/quantity.ts';
import type { Unchecked } from '../meta/unchecked.ts';

/** Fills in what claims have by themselves; kind and version always stand in them, as in no other embedded object. */
export function defaultClaimTemplate(claim: V1PersistentVolumeClaim): void {
  claim.apiVersion = 'v1';
  claim.kind = 'PersistentVolumeClaim';
  claim.metadata ??= {};
  const spec = (claim.spec ??= {});
  if (!spec.volumeMode) spec.volumeMode = 'Filesystem';
  roundAmounts(spec.resources?.requests);
  roundAmounts(spec.resources?.limits);
  const status = (claim.status ??= {});
  if (!status.phase) status.phase = 'Pending';
}

/** Sizes of part of a byte are rounded up by whoever makes the volume. */
export function claimTemplateWarnings(claims: readonly V1PersistentVolumeClaim[]): string[] {
  return claims.flatMap(({ spec }, at) => {
    const size = spec?.resources?.requests?.['storage'];
    if (size === undefined || isWholeQuantity(size)) return [];
    const field = `spec.volumeClaimTemplates[${at}].resources.requests[storage]`;
    return [`${field}: fractional byte value ${JSON.stringify(formatQuantity(parseQuantity(size)))} is invalid, must be an integer`];
  });
}

/** The template as pods will have it: a claim stands in for the volume of its name. */
export function withClaimVolumes(
  template: Unchecked<V1PodTemplateSpec>,
  claims: readonly Unchecked<V1PersistentVolumeClaim>[],
): Unchecked<V1PodTemplateSpec> {
  if (claims.length === 0) return template;
  const names = claims.map(({ metadata }) => metadata?.name ?? '');
  const others = (template.spec?.volumes ?? []).filter(({ name = '' }) => !names.includes(name));
  const volumes = [...others, ...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))];
  return { ...template, spec: { ...template.spec, volumes } };
}
