import type { V1CronJob, V1CronJobSpec } from '#api/generated/types.ts';
import { podNameWarnings } from '../../apps/workload.ts';
import { defineKind, type WriteContext } from '../../kind.ts';
import { ageColumn, nameColumn, selectorText, sinceText, templateColumns } from '../../meta/columns.ts';
import { equalValues } from '../../meta/equality.ts';
import { notNegative, oneOf } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../../meta/field-problem.ts';
import { selectorForm } from '../../meta/go-form.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { defaultTemplates } from '../job/job-defaults.ts';
import { validateJobSpec } from '../job/spec.ts';
import { jobSpecWarnings } from '../job/warnings.ts';
import { parseSchedule, ScheduleError } from './schedule.ts';
import { validateTimeZone } from './time-zone.ts';

export interface CronJob extends V1CronJob {
  metadata: ObjectMeta;
  spec: V1CronJobSpec;
}

type Spec = Unchecked<V1CronJobSpec>;

/** Jobs get eleven characters more: a dash and the time they are of. */
const nameLimit = 52;

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  scope: 'namespaced',
  names: { plural: 'cronjobs', short: ['cj'], categories: ['all'] },
  schema: 'io.k8s.api.batch.v1.CronJob',
  hasGeneration: true,
  defaults: [defaultCronJob],
  prepareCreate: (created) => {
    created.status = {};
  },
  validate: validateCronJob,
  validateUpdate: (next, prev, { subresource }) => (subresource === 'status' ? [] : validateSpec(next.spec, prev.spec)),
  warnings: cronJobWarnings,
  columns: [
    nameColumn,
    { name: 'Schedule', value: ({ spec }) => spec.schedule },
    { name: 'Timezone', value: ({ spec }) => spec.timeZone ?? '<none>' },
    { name: 'Suspend', type: 'boolean', value: ({ spec }) => (spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False') },
    { name: 'Active', type: 'integer', value: ({ status }) => status?.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      value: ({ status }, nowMs) => (status?.lastScheduleTime === undefined ? '<none>' : sinceText(status.lastScheduleTime, nowMs)),
    },
    ageColumn,
    ...templateColumns<CronJob>(
      ({ spec }) => spec.jobTemplate.spec?.template,
      ({ spec }) => selectorText(spec.jobTemplate.spec?.selector),
    ),
  ],
  subresources: { status: true },
});

function defaultCronJob(object: CronJob): void {
  object.spec ??= {} as V1CronJobSpec;
  const { spec } = object;
  const template = (spec.jobTemplate ??= {});
  template.metadata ??= {};
  template.spec ??= { template: {} };
  defaultTemplates(template.spec);
  if (!spec.concurrencyPolicy) spec.concurrencyPolicy = 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  object.status ??= {};
}

/** Validates a create; updates are validated against the old object, and may keep names that are too long. */
function validateCronJob({ metadata, spec }: CronJob, { verb }: WriteContext): FieldProblem[] {
  if (verb === 'update') return [];
  const { name = '' } = metadata;
  const tooLong = name.length > nameLimit ? [invalid('metadata.name', name, `must be no more than ${nameLimit} characters`)] : [];
  return [...validateSpec(spec, undefined), ...tooLong];
}

function validateSpec(spec: Spec, prev: V1CronJobSpec | undefined): FieldProblem[] {
  const { schedule = '', timeZone, jobTemplate } = spec;
  const own = 'spec.jobTemplate.spec';
  const { selector, manualSelector, ...job } = jobTemplate?.spec ?? {};
  const problems = schedule === '' ? [required('spec.schedule')] : validateSchedule(schedule, timeZone, prev?.schedule ?? '');
  problems.push(...notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds));
  if (prev === undefined || prev.timeZone !== timeZone) problems.push(...validateTimeZone(timeZone, 'spec.timeZone'));
  problems.push(...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']));
  problems.push(...validateJobSpec(job, own));
  if (selector !== undefined) problems.push(invalid(`${own}.selector`, selectorForm(selector), '`selector` will be auto-generated'));
  if (manualSelector === true) problems.push(notSupported(`${own}.manualSelector`, manualSelector, ['nil', 'false']));
  return [
    ...problems,
    ...notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ];
}

/** Zones in the schedule are left over from before there was a field for them. */
function validateSchedule(schedule: string, timeZone: string | undefined, before: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  try {
    parseSchedule(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    problems.push(invalid('spec.schedule', schedule, error.message));
  }
  if (!schedule.includes('TZ')) return problems;
  if (!before.includes('TZ')) {
    problems.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  } else if (timeZone !== undefined) {
    problems.push(invalid('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
  }
  return problems;
}

function cronJobWarnings({ metadata, spec }: CronJob, prev: CronJob | undefined): string[] {
  const warnings = prev === undefined ? podNameWarnings(metadata.name ?? '') : [];
  const { spec: job } = spec.jobTemplate;
  if (job !== undefined && !equalValues(spec, prev?.spec)) warnings.push(...jobSpecWarnings(job, 'spec.jobTemplate.spec'));
  if (spec.schedule.includes('TZ')) {
    // The path repeats its first part in upstream, too.
    warnings.push(
      'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
    );
  }
  return warnings;
}
