// How a Job's status may change. Whoever manages the Job, its clients rely on this: what has ended stays ended, counters of the past
// only rise. Most rules look only at what the write changes, so that what older versions have left does not block others.
import type { V1JobStatus } from '#api/generated/types.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalValues } from '../../meta/equality.ts';
import { notNegative } from '../../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, invalidWhole, required } from '../../meta/field-problem.ts';
import { commonIndex, countIndexes } from './indexes.ts';
import type { Job } from './job.ts';

type ConditionType = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet' | 'Suspended';

/** What the rules ask about both states. */
interface Change {
  readonly next: Job;
  readonly prev: Job;
  readonly now: V1JobStatus;
  readonly before: V1JobStatus;
  readonly is: (type: ConditionType) => boolean;
  readonly was: (type: ConditionType) => boolean;
  /** Whether one of these fields, or whether one of these conditions holds, is new. */
  readonly differs: (...names: (keyof V1JobStatus | ConditionType)[]) => boolean;
  readonly isFinished: boolean;
}

const conditionsField = 'status.conditions';

export function validateStatusUpdate(next: Job, prev: Job): FieldProblem[] {
  const now = next.status ?? {};
  const before = prev.status ?? {};
  const is = (type: ConditionType): boolean => isConditionTrue(now.conditions, type);
  const was = (type: ConditionType): boolean => isConditionTrue(before.conditions, type);
  const isFinished = is('Complete') || is('Failed');
  const change: Change = {
    next,
    prev,
    now,
    before,
    is,
    was,
    differs: (...names) =>
      names.some((name) =>
        /^[A-Z]/.test(name)
          ? is(name as ConditionType) !== was(name as ConditionType)
          : !equalValues(now[name as keyof V1JobStatus], before[name as keyof V1JobStatus]),
      ),
    isFinished,
  };
  return [
    ...validateCounts(now),
    ...validateOutcome(change),
    ...validateCompletionTime(change),
    ...validateFinished(change),
    ...validateIndexSets(change),
    ...validateSuccess(change),
    ...validateHistory(change),
  ];
}

function validateCounts({ active, succeeded, failed, ready, terminating, uncountedTerminatedPods }: V1JobStatus): FieldProblem[] {
  const problems = Object.entries({ active, succeeded, failed, ready, terminating }).flatMap(([name, count]) =>
    notNegative(`status.${name}`, count),
  );
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    uncountedTerminatedPods?.[list]?.forEach((uid, at) => {
      const field = `status.uncountedTerminatedPods.${list}[${at}]`;
      if (uid === '') problems.push(invalid(field, uid, 'must not be empty'));
      else if (seen.has(uid)) problems.push(duplicate(field, uid));
      seen.add(uid);
    });
  }
  return problems;
}

/** What cannot be true together. */
function validateOutcome({ is, differs, next }: Change): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const refuse = (when: boolean, why: string): void => void (when && problems.push(invalidWhole(conditionsField, why)));
  refuse(differs('Complete', 'Failed') && is('Complete') && is('Failed'), 'cannot set Complete=True and Failed=true conditions');
  refuse(
    differs('Complete', 'FailureTarget') && is('Complete') && is('FailureTarget'),
    'cannot set Complete=True and FailureTarget=true conditions',
  );
  refuse(
    differs('Failed', 'FailureTarget') && is('Failed') && !is('FailureTarget'),
    'cannot set Failed=True condition without the FailureTarget=true condition',
  );
  refuse(
    differs('Complete', 'SuccessCriteriaMet') && !isEmptyAndHeld(next) && is('Complete') && !is('SuccessCriteriaMet'),
    'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  );
  return problems;
}

/** A suspended Job of no pods is complete without having started. */
function isEmptyAndHeld({ spec }: Job): boolean {
  return spec.suspend === true && spec.completions === 0;
}

function validateCompletionTime({ now, is, differs }: Change): FieldProblem[] {
  const { completionTime, startTime } = now;
  const field = 'status.completionTime';
  const problems: FieldProblem[] = [];
  if (differs('Complete', 'completionTime')) {
    if (completionTime !== undefined && !is('Complete')) {
      problems.push(invalid(field, completionTime, 'cannot set completionTime when there is no Complete=True condition'));
    }
    if (completionTime === undefined && is('Complete')) {
      problems.push(required(field, 'completionTime is required for Complete jobs'));
    }
  }
  const isBefore = startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime);
  if (isBefore && differs('startTime', 'completionTime')) {
    problems.push(invalid(field, completionTime, 'completionTime cannot be set before startTime'));
  }
  return problems;
}

/** What a finished Job no longer has. */
function validateFinished(change: Change): FieldProblem[] {
  const { now, isFinished, differs, next } = change;
  const { active = 0, ready, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = now;
  const isNew = (name: keyof V1JobStatus): boolean => isFinished && (finishes(change) || differs(name));
  const problems: FieldProblem[] = [];
  if (isNew('active') && active > 0) problems.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  if (isNew('startTime') && startTime === undefined && !isEmptyAndHeld(next)) {
    problems.push(required('status.startTime', 'startTime is required for finished job'));
  }
  if (isNew('uncountedTerminatedPods') && (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0) > 0) {
    const shown = { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null };
    problems.push(invalid('status.uncountedTerminatedPods', shown, 'uncountedTerminatedPods needs to be empty for finished job'));
  }
  if (isNew('terminating') && terminating > 0) {
    problems.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if (differs('ready', 'active') && ready !== undefined && ready > active) {
    problems.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  return problems;
}

function finishes({ isFinished, was }: Change): boolean {
  return isFinished !== (was('Complete') || was('Failed'));
}

function validateIndexSets({ now, next, differs }: Change): FieldProblem[] {
  const { completedIndexes = '', failedIndexes } = now;
  const { completions, backoffLimitPerIndex, completionMode } = next.spec;
  const problems: FieldProblem[] = [];
  const parse = (name: string, text: string): void => {
    const counted = countIndexes(text, completions ?? 0);
    if ('problem' in counted) problems.push(invalid(`status.${name}`, text, `error parsing ${name}: ${counted.problem}`));
  };
  if (differs('completedIndexes')) {
    if (completions !== undefined) parse('completedIndexes', completedIndexes);
    if (completedIndexes !== '' && completionMode !== 'Indexed') {
      const text = 'cannot set non-empty completedIndexes when non-indexed completion mode';
      problems.push(invalid('status.completedIndexes', completedIndexes, text));
    }
  }
  if (failedIndexes === undefined) return problems;
  if (differs('failedIndexes')) {
    if (completions !== undefined && backoffLimitPerIndex !== undefined) parse('failedIndexes', failedIndexes);
    if (backoffLimitPerIndex === undefined) {
      const text = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
      problems.push(invalid('status.failedIndexes', failedIndexes, text));
    }
  }
  if (completions !== undefined && differs('completedIndexes', 'failedIndexes')) {
    const common = commonIndex(completedIndexes, failedIndexes, completions);
    const text = `failedIndexes and completedIndexes overlap at index: ${common}`;
    if (common !== undefined) problems.push(invalid('status.failedIndexes', failedIndexes, text));
  }
  return problems;
}

function validateSuccess({ is, next }: Change): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const refuse = (when: boolean, why: string): void => void (when && problems.push(invalidWhole(conditionsField, why)));
  refuse(is('SuccessCriteriaMet') && is('Failed'), 'cannot set SuccessCriteriaMet=True and Failed=true conditions');
  refuse(is('SuccessCriteriaMet') && is('FailureTarget'), 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  refuse(
    next.spec.successPolicy !== undefined && !is('SuccessCriteriaMet') && is('Complete'),
    'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
  );
  return problems;
}

/** What does not come back. */
function validateHistory({ next, now, before, is, was }: Change): FieldProblem[] {
  const { completionMode, completions, parallelism, suspend = false } = next.spec;
  const problems: FieldProblem[] = (['Failed', 'Complete', 'FailureTarget'] as const)
    .filter((type) => was(type) && !is(type))
    .map((type) => invalidWhole(conditionsField, `cannot disable the terminal ${type}=True condition`));
  const falls = (name: 'failed' | 'succeeded'): void => {
    if ((now[name] ?? 0) < (before[name] ?? 0)) {
      problems.push(invalid(`status.${name}`, now[name] ?? 0, `cannot decrease the ${name} counter`));
    }
  };
  falls('failed');
  // Indexed Jobs with a pod for each completion may be scaled down.
  if (completionMode !== 'Indexed' || completions !== parallelism) falls('succeeded');
  const { completionTime } = now;
  if (completionTime !== undefined && before.completionTime !== undefined && completionTime !== before.completionTime) {
    problems.push(invalid('status.completionTime', completionTime, 'completionTime cannot be mutated'));
  }
  const resumes = was('Suspended') && !is('Suspended');
  if (before.startTime !== undefined && before.startTime !== now.startTime && !suspend && !resumes) {
    problems.push(invalid('status.startTime', now.startTime, 'field is immutable for unsuspended job once set'));
  }
  if (was('SuccessCriteriaMet') && !is('SuccessCriteriaMet')) {
    problems.push(invalidWhole(conditionsField, 'cannot disable the SuccessCriteriaMet=True condition'));
  }
  if (was('Complete') && !was('SuccessCriteriaMet') && is('SuccessCriteriaMet')) {
    const text = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions';
    problems.push(invalidWhole(conditionsField, text));
  }
  return problems;
}
