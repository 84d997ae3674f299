import type { V1ResourceClaimTemplate } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText, validateAnnotations, validateLabels } from '../meta/object-meta.ts';
import { defaultRequests, validateDeviceClaim } from './device-claim.ts';
import { claimSpecShape } from './go-shapes.ts';

export interface ResourceClaimTemplate extends V1ResourceClaimTemplate {
  metadata: ObjectMeta;
}

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  scope: 'namespaced',
  names: { plural: 'resourceclaimtemplates' },
  schema: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  answersDeleted: true,
  compilesTexts: true,
  defaults: [({ spec }) => defaultRequests(spec.spec.devices)],
  // Only what may change is worth looking at again.
  validate: ({ spec }, { verb }) => (verb === 'create' ? validateSpec(spec) : []),
  // What is wrong with the other wish is told, too.
  validateUpdate: ({ spec }, prev) =>
    equalValues(spec, prev.spec) ? [] : [invalid('spec', innerSpec(spec), immutableText), ...validateSpec(spec)],
  columns: [nameColumn, ageColumn],
});

function validateSpec({ metadata: { labels, annotations } = {}, spec }: ResourceClaimTemplate['spec']): FieldProblem[] {
  return [
    ...validateLabels(labels, 'spec.metadata.labels'),
    ...validateAnnotations(annotations, 'spec.metadata.annotations'),
    ...validateDeviceClaim(spec.devices ?? {}, 'spec.spec.devices'),
  ];
}

/** Upstream's inner form: the metadata is not a member there, its members are. */
function innerSpec({ metadata, spec }: ResourceClaimTemplate['spec']): object {
  return { ...metadata, Spec: goTree(spec, claimSpecShape) };
}
