// Defaults of Jobs and of what CronJobs make Jobs from (pkg/apis/batch/v1/defaults.go).
import type { V1JobSpec } from '#api/generated/types.ts';
import { defaultPodTemplate } from '../../core/pod/pod-defaults.ts';
import type { Job } from './job.ts';

const maxInt32 = 2 ** 31 - 1;

export function defaultJob(object: Job): void {
  object.spec ??= {} as V1JobSpec;
  const { spec } = object;
  defaultTemplates(spec);
  // Without both numbers it is one pod that has to succeed; without one, a queue of work.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  spec.manualSelector ??= false;
  object.status ??= {};
}

/** The part of a Job's defaults that its template in a CronJob gets, too. */
export function defaultTemplates(spec: V1JobSpec): void {
  spec.template ??= {};
  defaultPodTemplate(spec.template);
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) if (!pattern.status) pattern.status = 'True';
  }
}
