import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { cronJob } from './cron-job.ts';
import { parseSchedule } from './schedule.ts';

/** A CronJob with these members of its spec. */
function aCronJob(spec = 'schedule: "* * * * *"', job = '', restart = 'Never'): string {
  const template = `template: {spec: {containers: [{name: c, image: "i:1"}], restartPolicy: ${restart}}}`;
  return `metadata: {name: c, namespace: a}\nspec: {${spec}, jobTemplate: {spec: {${job}${template}}}}`;
}

test('defaults', () => {
  const { jobTemplate, ...spec } = decoded(cronJob, aCronJob()).spec;
  expect(spec).toEqual({
    concurrencyPolicy: 'Allow',
    failedJobsHistoryLimit: 1,
    schedule: '* * * * *',
    successfulJobsHistoryLimit: 3,
    suspend: false,
  });
  expect(Object.keys(jobTemplate.spec ?? {})).toEqual(['template']);
  expect(jobTemplate.spec?.template.spec).toMatchObject({ dnsPolicy: 'ClusterFirst' });
});

const job = 'spec.jobTemplate.spec';
const schedule = (text: string): string => aCronJob(`schedule: ${JSON.stringify(text)}`);
const zone = (name: string): string => aCronJob(`schedule: "* * * * *", timeZone: ${JSON.stringify(name)}`);

test.each<[string, string, string[]]>([
  ['fine', aCronJob(), []],
  ['no schedule', aCronJob('schedule: ""'), ['spec.schedule: Required value']],
  ['schedule', schedule('* * *'), ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]']],
  [
    'zone in the schedule',
    schedule('TZ=UTC 0 * * * *'),
    ['spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
  ],
  ['zone', zone('Europe/Berlin'), []],
  ['old zone', zone('US/Pacific'), []],
  ['zone of hours', zone('Etc/GMT+5'), []],
  ['no zone', zone(''), ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']],
  ['unknown zone', zone('Europe/Atlantis'), ['spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis']],
  ['zone in another spelling', zone('europe/berlin'), ['spec.timeZone: Invalid value: "europe/berlin": unknown time zone europe/berlin']],
  ['offset', zone('+0100'), ['spec.timeZone: Invalid value: "+0100": unknown time zone +0100']],
  ['path', zone('../Berlin'), ['spec.timeZone: Invalid value: "../Berlin": unknown time zone ../Berlin']],
  [
    'local zone',
    zone('Local'),
    ['spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
  ],
  [
    'numbers and policy',
    aCronJob(
      'schedule: "@daily", startingDeadlineSeconds: -1, concurrencyPolicy: Some, successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -2',
    ),
    [
      'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace"',
      'spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      'spec.failedJobsHistoryLimit: Invalid value: -2: must be greater than or equal to 0',
    ],
  ],
  [
    'job',
    aCronJob('schedule: "@daily"', 'completions: -1, manualSelector: true, selector: {}, ', 'Always'),
    [
      `${job}.completions: Invalid value: -1: must be greater than or equal to 0`,
      `${job}.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`,
      `${job}.selector: Invalid value: {}: \`selector\` will be auto-generated`,
      `${job}.manualSelector: Unsupported value: true: supported values: "nil", "false"`,
    ],
  ],
  [
    'name',
    aCronJob().replace('name: c,', `name: ${'c'.repeat(53)},`),
    [`metadata.name: Invalid value: "${'c'.repeat(53)}": must be no more than 52 characters`],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(cronJob, yaml)).toEqual(expected);
});

test('a zone in the schedule may stay, but not beside the field', () => {
  const old = schedule('CRON_TZ=UTC 0 * * * *');
  expect(updateProblems(cronJob, old, ({ spec }) => void (spec.suspend = true))).toEqual([]);
  expect(updateProblems(cronJob, old, ({ spec }) => void (spec.timeZone = 'UTC'))).toEqual([
    'spec.schedule: Invalid value: "CRON_TZ=UTC 0 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ]);
  expect(updateProblems(cronJob, zone('Europe/Atlantis'), ({ spec }) => void (spec.suspend = true))).toEqual([]);
  expect(cronJob.warnings?.(decoded(cronJob, old), decoded(cronJob, old))).toEqual([
    'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
  ]);
});

test('columns', () => {
  const nowMs = Date.parse('2026-01-01T00:05:00Z');
  const object = decoded(cronJob, `${zone('UTC')}\nstatus: {active: [{name: x}], lastScheduleTime: "2026-01-01T00:04:00Z"}`);
  expect(row(cronJob, object, nowMs)).toEqual({
    Name: 'c',
    Schedule: '* * * * *',
    Timezone: 'UTC',
    Suspend: 'False',
    Active: 1,
    'Last Schedule': '60s',
    Age: '<unknown>',
    Containers: 'c',
    Images: 'i:1',
    Selector: '<none>',
  });
  expect(row(cronJob, decoded(cronJob, aCronJob()))).toMatchObject({ Timezone: '<none>', 'Last Schedule': '<none>' });
});

/** What a schedule's fields hold, in short. */
function fields(text: string): string {
  const parsed = parseSchedule(text);
  if (parsed.kind === 'every') return `every ${parsed.seconds}s`;
  const short = (values: ReadonlySet<number>): string => (values.size > 6 ? `${values.size} values` : [...values].join(','));
  const { minutes, hours, monthDays, months, weekDays, days, timeZone = '' } = parsed;
  return [minutes, hours, monthDays, months, weekDays].map(short).concat(days, timeZone).join(' ').trim();
}

test.each([
  ['* * * * *', '60 values 24 values 31 values 12 values 7 values both'],
  ['5 4 * * sun', '5 4 31 values 12 values 0 both'],
  ['0 22 * * 1-5', '0 22 31 values 12 values 1,2,3,4,5 both'],
  ['*/15 0-6/3 1,15 JAN-mar ?', '0,15,30,45 0,3,6 1,15 1,2,3 7 values both'],
  ['0 0 13 * 5', '0 0 13 12 values 5 either'],
  ['0 0 */2 * 5', '0 0 16 values 12 values 5 either'],
  ['50/5 0 1 1 *', '50,55 0 1 1 7 values both'],
  [' 0  0 1 1 * ', '0 0 1 1 7 values both'],
  [', 0 1 1 *', '0 1 1 7 values both'],
  ['@weekly', '0 0 31 values 12 values 0 both'],
  ['@annually', '0 0 1 1 7 values both'],
  ['@every 90m', 'every 5400s'],
  ['@every 1ms', 'every 1s'],
  ['TZ=Asia/Tokyo @hourly', '0 24 values 31 values 12 values 7 values both Asia/Tokyo'],
])('schedule %s', (text, expected) => {
  expect(fields(text)).toBe(expected);
});

test.each([
  ['', 'empty spec string'],
  ['* * * * * *', 'expected exactly 5 fields, found 6: [* * * * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['*/2/3 * * * *', 'too many slashes: */2/3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['-1 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['*/-5 * * * *', 'negative number (-5) not allowed: -5'],
  ['@never', 'unrecognized descriptor: @never'],
  ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ['@every', 'unrecognized descriptor: @every'],
  ['TZ=Nowhere * * * * *', 'provided bad location Nowhere: unknown time zone Nowhere'],
])('no schedule: %s', (text, expected) => {
  expect(() => parseSchedule(text)).toThrow(expected);
});
