import type { V1JobSpec } from '#api/generated/types.ts';
import { podSpecWarnings } from '../../core/pod/warnings.ts';
import { manyCompletions } from './spec.ts';

const manyPods = 10_000;

/** What is allowed in a Job's spec, but may surprise. */
export function jobSpecWarnings({ completionMode, completions = 0, parallelism = 0, template }: V1JobSpec, path: string): string[] {
  const isHuge = completionMode === 'Indexed' && completions > manyCompletions && parallelism > manyPods;
  const text =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';
  const own = isHuge ? [text] : [];
  return template?.spec === undefined ? own : [...own, ...podSpecWarnings(template.spec, `${path}.template.spec`, template.metadata)];
}
