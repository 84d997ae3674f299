import type { V1ReplicationController, V1ReplicationControllerSpec } from '#api/generated/types.ts';
import { podNameWarnings, templateWarnings, validateAvailable, validateCounts } from '../apps/workload.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, labelsText, nameColumn, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { notNegative } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required, valueNotFound } from '../meta/field-problem.ts';
import { mapSelectorOf } from '../meta/label-selector.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { defaultPodTemplate } from './pod/pod-defaults.ts';
import { validateServingTemplate } from './pod/template.ts';

export interface ReplicationController extends V1ReplicationController {
  metadata: ObjectMeta;
  spec: V1ReplicationControllerSpec;
}

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  scope: 'namespaced',
  names: { plural: 'replicationcontrollers', short: ['rc'], categories: ['all'] },
  schema: 'io.k8s.api.core.v1.ReplicationController',
  hasGeneration: true,
  // Its pods outlive it by default, as they did before there was a garbage collector.
  defaultPropagation: 'Orphan',
  defaults: [defaultController],
  prepareCreate: (created) => {
    created.status = { replicas: 0 };
  },
  validate: validateController,
  validateUpdate: validateControllerUpdate,
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
    ...templateColumns<ReplicationController>(
      ({ spec }) => spec.template,
      ({ spec }) => labelsText(spec.selector),
    ),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});

/** The template's labels serve as selector and labels where none are given. */
function defaultController(object: ReplicationController): void {
  object.spec ??= {};
  const { spec, metadata } = object;
  spec.replicas ??= 1;
  defaultPodTemplate(spec.template);
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  }
  object.status ??= { replicas: 0 };
}

function validateController({ spec }: ReplicationController, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [];
  const { selector = {} } = spec;
  return [
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(Object.keys(selector).length === 0 ? [required('spec.selector')] : []),
    ...notNegative('spec.replicas', spec.replicas),
    ...validateServingTemplate(spec.template, mapSelectorOf(selector), 'ReplicationController', 'spec.template'),
  ];
}

function validateControllerUpdate(next: ReplicationController, prev: ReplicationController, { subresource }: WriteContext): FieldProblem[] {
  if (subresource !== 'status') return validateNotConvertible(next, prev);
  const { replicas = 0, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration } = next.status ?? {};
  const counts = { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration };
  return [...validateCounts(counts, replicas, 'status'), ...validateAvailable(availableReplicas ?? 0, readyReplicas ?? 0, 'status')];
}

const notConvertible = 'non-convertible.kubernetes.io';

/** What is annotated as beyond the means of other forms of the object stays as it is. */
function validateNotConvertible({ spec: next }: ReplicationController, { metadata, spec: prev }: ReplicationController): FieldProblem[] {
  return Object.entries(metadata.annotations ?? {}).flatMap(([key, value]) => {
    const [prefix = '', field = '', more] = key.split('/');
    if (!prefix.startsWith(notConvertible) || field === '' || more !== undefined) return [];
    if (!field.includes('selector'))
      return [{ ...valueNotFound(field, value), message: `Not found: ${JSON.stringify(value)}: unknown non-convertible field` }];
    const isSame = equalValues(next.selector, prev.selector);
    return isSame ? [] : [invalid('spec.selector', next.selector, 'cannot update non-convertible selector')];
  });
}
