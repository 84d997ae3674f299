import type { V1ReplicaSet, V1ReplicaSetSpec } from '#api/generated/types.ts';
import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn, selectorText, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { notNegative } from '../meta/field-checks.ts';
import type { FieldProblem } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateSelectorUpdate } from '../meta/object-meta.ts';
import { podNameWarnings, templateWarnings, validateAvailable, validateCounts, validateSelectorAndTemplate } from './workload.ts';

export interface ReplicaSet extends V1ReplicaSet {
  metadata: ObjectMeta;
  spec: V1ReplicaSetSpec;
}

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  scope: 'namespaced',
  names: { plural: 'replicasets', short: ['rs'], categories: ['all'] },
  schema: 'io.k8s.api.apps.v1.ReplicaSet',
  hasGeneration: true,
  defaults: [defaultReplicaSet],
  prepareCreate: (created) => {
    created.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  validateUpdate: validateReplicaSetUpdate,
  warnings: ({ metadata, spec }, prev) => {
    if (prev === undefined) return [...podNameWarnings(metadata.name ?? ''), ...templateWarnings(spec.template)];
    return equalValues(spec, prev.spec) ? [] : templateWarnings(spec.template);
  },
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', value: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', value: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', value: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicaSet>(
      ({ spec }) => spec.template,
      ({ spec }) => selectorText(spec.selector),
    ),
  ],
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});

function defaultReplicaSet(object: ReplicaSet): void {
  object.spec ??= {} as V1ReplicaSetSpec;
  object.spec.replicas ??= 1;
  defaultPodTemplate(object.spec.template);
  object.status ??= { replicas: 0 };
}

function validateReplicaSet({ spec }: ReplicaSet, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [];
  return [
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateSelectorAndTemplate(spec, 'spec'),
  ];
}

function validateReplicaSetUpdate(next: ReplicaSet, prev: ReplicaSet, { subresource }: WriteContext): FieldProblem[] {
  if (subresource !== 'status') return validateSelectorUpdate(next.spec.selector, prev.spec.selector);
  const { replicas = 0, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration } = next.status ?? {};
  const counts = { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration };
  return [
    ...validateCounts(counts, replicas, 'status'),
    ...notNegative('status.terminatingReplicas', next.status?.terminatingReplicas),
    ...validateAvailable(availableReplicas ?? 0, readyReplicas ?? 0, 'status'),
  ];
}
