import type { V1Job, V1JobSpec, V1JobStatus } from '#api/generated/types.ts';
import { podNameWarnings } from '../../apps/workload.ts';
import { defineKind } from '../../kind.ts';
import { equalValues } from '../../meta/equality.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { jobColumns } from './columns.ts';
import { defaultJob } from './job-defaults.ts';
import { defaultLabels, generateSelector } from './selector.ts';
import { validateJob, validateJobUpdate } from './validate.ts';
import { jobSpecWarnings } from './warnings.ts';

export interface Job extends V1Job {
  metadata: ObjectMeta;
  spec: V1JobSpec;
  status?: V1JobStatus;
}

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  scope: 'namespaced',
  names: { plural: 'jobs', categories: ['all'] },
  schema: 'io.k8s.api.batch.v1.Job',
  hasGeneration: true,
  // Its pods outlive it by default, as they did before there was a garbage collector.
  defaultPropagation: 'Orphan',
  orphanWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  defaults: [defaultJob],
  prepareCreate: (created) => {
    created.status = {};
    generateSelector(created);
    defaultLabels(created);
  },
  prepareUpdate: (next, _prev, { subresource }) => {
    if (subresource === '') defaultLabels(next);
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings: ({ metadata, spec }, prev) => {
    if (prev !== undefined && equalValues(spec, prev.spec)) return [];
    const names = prev === undefined ? podNameWarnings(metadata.name ?? '') : [];
    return [...names, ...jobSpecWarnings(spec, 'spec')];
  },
  columns: jobColumns,
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  selectionReads: ['status.succeeded'],
  unknownFieldText: (field) => `field label ${JSON.stringify(field)} not supported for batchv1.Job`,
  subresources: { status: true },
});
