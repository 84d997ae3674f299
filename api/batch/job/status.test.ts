import { expect, test } from 'vitest';
import type { V1JobStatus } from '#api/generated/types.ts';
import { decoded } from '../../testing.ts';
import { job } from './job.ts';

const start = '2026-01-01T00:00:00Z';
const end = '2026-01-01T01:00:00Z';
type Flags = readonly string[];

/** A status with these conditions. */
function aStatus(conditions: Flags, rest: V1JobStatus = {}): V1JobStatus {
  return { ...rest, conditions: conditions.map((type) => ({ type, status: 'True' })) };
}

function problems(prev: V1JobStatus, next: V1JobStatus, spec = ''): string[] {
  const yaml = `metadata: {name: j, namespace: a, uid: u}\nspec: {${spec}template: {spec: {containers: [{name: c, image: i}]}}}`;
  const [before, after] = [decoded(job, yaml), decoded(job, yaml)];
  before.status = prev;
  after.status = next;
  const found = job.validateUpdate?.(after, before, { verb: 'update', subresource: 'status', nowMs: 0 }) ?? [];
  return found.map(({ field, message }) => `${field.replace('status.', '')}: ${message}`);
}

const done = aStatus(['SuccessCriteriaMet', 'Complete'], { startTime: start, completionTime: end });
const lost = aStatus(['FailureTarget', 'Failed'], { startTime: start });
const refused = (why: string): string => `conditions: Invalid value: ${why}`;

test.each<[string, V1JobStatus, V1JobStatus, string, string[]]>([
  ['starts', {}, { startTime: start, active: 1, ready: 1 }, '', []],
  ['completes', { startTime: start }, done, '', []],
  ['fails', { startTime: start, failed: 1 }, { ...lost, failed: 1 }, '', []],
  ['empty and suspended', {}, aStatus(['Complete'], { startTime: start, completionTime: end }), 'suspend: true, completions: 0, ', []],
  [
    'counts',
    {},
    { active: -1, failed: -1, ready: -1, terminating: -1, uncountedTerminatedPods: { succeeded: ['', 'a'], failed: ['a'] } },
    '',
    [
      ...['active', 'failed', 'ready', 'terminating'].map((name) => `${name}: Invalid value: -1: must be greater than or equal to 0`),
      'uncountedTerminatedPods.succeeded[0]: Invalid value: "": must not be empty',
      'uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      'failed: Invalid value: -1: cannot decrease the failed counter',
    ],
  ],
  [
    'both outcomes',
    {},
    aStatus(['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'], { startTime: start, completionTime: end }),
    '',
    [
      refused('cannot set Complete=True and Failed=true conditions'),
      refused('cannot set Complete=True and FailureTarget=true conditions'),
      refused('cannot set SuccessCriteriaMet=True and Failed=true conditions'),
      refused('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'),
    ],
  ],
  [
    'without what comes first',
    {},
    aStatus(['Complete', 'Failed'], { startTime: start, completionTime: end }),
    '',
    [
      refused('cannot set Complete=True and Failed=true conditions'),
      refused('cannot set Failed=True condition without the FailureTarget=true condition'),
      refused('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
    ],
  ],
  [
    'completion time',
    {},
    { completionTime: start, startTime: end },
    '',
    [
      `completionTime: Invalid value: "${start}": cannot set completionTime when there is no Complete=True condition`,
      `completionTime: Invalid value: "${start}": completionTime cannot be set before startTime`,
    ],
  ],
  [
    'no times',
    {},
    aStatus(['Complete', 'SuccessCriteriaMet']),
    '',
    [
      'completionTime: Required value: completionTime is required for Complete jobs',
      'startTime: Required value: startTime is required for finished job',
    ],
  ],
  [
    'finished with pods',
    {},
    { ...lost, active: 1, terminating: 2, uncountedTerminatedPods: { failed: ['a'] } },
    '',
    [
      'active: Invalid value: 1: active>0 is invalid for finished job',
      'uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
      'terminating: Invalid value: 2: terminating>0 is invalid for finished job',
    ],
  ],
  ['more ready than active', {}, { ready: 2, active: 1 }, '', ['ready: Invalid value: 2: cannot set more ready pods than active']],
  [
    'indexes of another kind of Job',
    {},
    { completedIndexes: '0', failedIndexes: '1' },
    'completions: 3, ',
    [
      'completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      'failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    ],
  ],
  [
    'indexes',
    {},
    { completedIndexes: '0-2,1', failedIndexes: '9' },
    'completions: 5, completionMode: Indexed, backoffLimitPerIndex: 1, ',
    [
      'completedIndexes: Invalid value: "0-2,1": error parsing completedIndexes: non-increasing order, previous: 2, current: 1',
      'failedIndexes: Invalid value: "9": error parsing failedIndexes: too large index: "9"',
    ],
  ],
  [
    'indexes that overlap',
    {},
    { completedIndexes: '0,3-4', failedIndexes: '1,4' },
    'completions: 5, completionMode: Indexed, backoffLimitPerIndex: 1, ',
    ['failedIndexes: Invalid value: "1,4": failedIndexes and completedIndexes overlap at index: 4'],
  ],
  [
    'success policy',
    {},
    aStatus(['Complete'], { startTime: start, completionTime: end }),
    'completions: 1, completionMode: Indexed, successPolicy: {rules: [{succeededCount: 1}]}, ',
    [
      refused('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
      refused('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'),
    ],
  ],
  [
    'takes the outcome back',
    done,
    { startTime: start },
    '',
    [refused('cannot disable the terminal Complete=True condition'), refused('cannot disable the SuccessCriteriaMet=True condition')],
  ],
  [
    'other completion time',
    done,
    { ...done, completionTime: '2026-01-01T02:00:00Z' },
    '',
    ['completionTime: Invalid value: "2026-01-01T02:00:00Z": completionTime cannot be mutated'],
  ],
  [
    'counters fall',
    { failed: 2, succeeded: 2 },
    { failed: 1, succeeded: 1 },
    'completions: 2, parallelism: 1, ',
    ['failed: Invalid value: 1: cannot decrease the failed counter', 'succeeded: Invalid value: 1: cannot decrease the succeeded counter'],
  ],
  ['indexes scaled down', { succeeded: 2 }, { succeeded: 1 }, 'completionMode: Indexed, completions: 2, parallelism: 2, ', []],
  [
    'no indexes scaled down',
    { succeeded: 2 },
    { succeeded: 1 },
    'completions: 2, parallelism: 2, ',
    ['succeeded: Invalid value: 1: cannot decrease the succeeded counter'],
  ],
  [
    'start time of a running Job',
    { startTime: start },
    {},
    '',
    ['startTime: Invalid value: null: field is immutable for unsuspended job once set'],
  ],
  [
    'another start time of a running Job',
    { startTime: start },
    { startTime: end },
    '',
    [`startTime: Invalid value: "${end}": field is immutable for unsuspended job once set`],
  ],
  ['start time of a suspended Job', { startTime: start }, {}, 'suspend: true, ', []],
  ['start time of a resuming Job', aStatus(['Suspended'], { startTime: start }), { startTime: end }, '', []],
  [
    'success after completion',
    aStatus(['Complete'], { startTime: start, completionTime: end }),
    done,
    '',
    [refused('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')],
  ],
])('%s', (_name, prev, next, spec, expected) => {
  expect(problems(prev, next, spec)).toEqual(expected);
});

test('what older versions have left does not block other changes', () => {
  const old = aStatus(['Complete', 'Failed'], { active: 1, ready: 3 });
  expect(problems(old, { ...old, succeeded: 1 })).toEqual([]);
});
