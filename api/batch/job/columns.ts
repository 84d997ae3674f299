import type { Column } from '../../kind.ts';
import { ageColumn, durationText, nameColumn, selectorText, sinceText, templateColumns } from '../../meta/columns.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import type { Job } from './job.ts';

/** What `kubectl get jobs` shows. */
export const jobColumns: readonly Column<Job>[] = [
  nameColumn,
  { name: 'Status', description: 'Status of the job.', value: statusText },
  { name: 'Completions', value: completionsText },
  {
    name: 'Duration',
    description: 'Time required to complete the job.',
    value: ({ status }, nowMs) => {
      const { startTime, completionTime } = status ?? {};
      if (startTime === undefined) return '';
      return completionTime === undefined ? sinceText(startTime, nowMs) : durationText(Date.parse(completionTime) - Date.parse(startTime));
    },
  },
  ageColumn,
  ...templateColumns<Job>(
    ({ spec }) => spec.template,
    ({ spec }) => selectorText(spec.selector),
  ),
];

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return `${succeeded}/1${parallelism > 1 ? ` of ${parallelism}` : ''}`;
}

function statusText({ metadata, status }: Job): string {
  const is = (type: string): boolean => isConditionTrue(status?.conditions, type);
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}
