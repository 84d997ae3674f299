// Schedules in the dialect of robfig/cron: five fields or a descriptor, perhaps with a time zone in front.
import { DurationError, parseDuration } from '#base/duration.ts';
import { isTimeZone } from './time-zone.ts';

/** When a CronJob runs. */
type Schedule =
  | {
      readonly kind: 'fields';
      /** From `TZ=` or `CRON_TZ=` in front of the text, which only old CronJobs still have. */
      readonly timeZone?: string | undefined;
      readonly minutes: ReadonlySet<number>;
      readonly hours: ReadonlySet<number>;
      readonly monthDays: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      readonly weekDays: ReadonlySet<number>;
      /** Where both kinds of days are restricted a day of either is enough; where one is `*`, the other decides. */
      readonly days: 'either' | 'both';
    }
  | { readonly kind: 'every'; readonly seconds: number };

/** The text is no schedule; the message is upstream's. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const bounds = {
  minutes: { min: 0, max: 59 },
  hours: { min: 0, max: 23 },
  monthDays: { min: 1, max: 31 },
  months: { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  weekDays: { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
} as const satisfies Readonly<Record<string, Bounds>>;

const descriptors: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const every = '@every ';

/** Reads a schedule. Throws ScheduleError. */
export function parseSchedule(text: string): Schedule {
  if (text === '') throw new ScheduleError('empty spec string');
  const { timeZone, rest } = splitZone(text);
  if (!rest.startsWith('@')) return parseFields(rest, timeZone);
  const fields = descriptors.get(rest);
  if (fields !== undefined) return parseFields(fields, timeZone);
  if (!rest.startsWith(every)) throw new ScheduleError(`unrecognized descriptor: ${rest}`);
  try {
    return { kind: 'every', seconds: Math.max(1, Math.floor(parseDuration(rest.slice(every.length)) / 1_000)) };
  } catch (error) {
    if (error instanceof DurationError) throw new ScheduleError(`failed to parse duration ${rest}: ${error.message}`, { cause: error });
    throw error;
  }
}

function splitZone(text: string): { timeZone?: string; rest: string } {
  const found = /^(?:CRON_)?TZ=(?<zone>[^ ]*)(?<rest>.*)$/s.exec(text)?.groups;
  if (found === undefined) return { rest: text };
  const { zone = '', rest = '' } = found;
  if (zone !== '' && zone !== 'Local' && !isTimeZone(zone)) {
    throw new ScheduleError(`provided bad location ${zone}: unknown time zone ${zone}`);
  }
  return { timeZone: zone === '' ? 'UTC' : zone, rest: rest.trim() };
}

function parseFields(text: string, timeZone: string | undefined): Schedule {
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5) throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minutes = '', hours = '', monthDays = '', months = '', weekDays = ''] = fields;
  return {
    kind: 'fields',
    timeZone,
    minutes: parseField(minutes, bounds.minutes).values,
    hours: parseField(hours, bounds.hours).values,
    ...parseDays(monthDays, months, weekDays),
  };
}

function parseDays(monthDayText: string, monthText: string, weekDayText: string) {
  const monthDays = parseField(monthDayText, bounds.monthDays);
  const months = parseField(monthText, bounds.months).values;
  const weekDays = parseField(weekDayText, bounds.weekDays);
  const days: 'either' | 'both' = monthDays.isAny || weekDays.isAny ? 'both' : 'either';
  return { monthDays: monthDays.values, months, weekDays: weekDays.values, days };
}

interface FieldValues {
  readonly values: ReadonlySet<number>;
  /** True where a `*` or `?` stands that leaves nothing out. */
  readonly isAny: boolean;
}

function parseField(field: string, limits: Bounds): FieldValues {
  const values = new Set<number>();
  let isAny = false;
  for (const text of field.split(',').filter((part) => part !== '')) {
    const { start, end, step, isStar } = parseRange(text, limits);
    for (let value = start; value <= end; value += step) values.add(value);
    isAny ||= isStar && step === 1;
  }
  return { values, isAny };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isStar: boolean;
}

/** `5`, `5-9`, `5/2` (from 5 on), `5-9/2`, `*`, `*`/2. */
function parseRange(text: string, limits: Bounds): Range {
  const [span = '', ...steps] = text.split('/');
  const [low = '', ...highs] = span.split('-');
  const isStar = low === '*' || low === '?';
  const start = isStar ? limits.min : parseValue(low, limits.names);
  let end = isStar ? limits.max : start;
  if (!isStar && highs.length === 1) end = parseValue(highs[0] ?? '', limits.names);
  if (!isStar && highs.length > 1) throw new ScheduleError(`too many hyphens: ${text}`);
  if (steps.length > 1) throw new ScheduleError(`too many slashes: ${text}`);
  const step = steps[0] === undefined ? 1 : parseCount(steps[0]);
  if (steps.length === 1 && highs.length === 0) end = limits.max;
  if (start < limits.min) throw new ScheduleError(`beginning of range (${start}) below minimum (${limits.min}): ${text}`);
  if (end > limits.max) throw new ScheduleError(`end of range (${end}) above maximum (${limits.max}): ${text}`);
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`);
  return { start, end, step, isStar };
}

function parseValue(text: string, names: readonly string[] | undefined): number {
  const at = names?.indexOf(text.toLowerCase()) ?? -1;
  // Months are counted from one, days of the week from zero.
  return at < 0 ? parseCount(text) : at + (names?.length === 12 ? 1 : 0);
}

function parseCount(text: string): number {
  const failure = `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}`;
  if (!/^[+-]?[0-9]+$/.test(text)) throw new ScheduleError(`${failure}: invalid syntax`);
  const value = Number(text);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new ScheduleError(`${failure}: value out of range`);
  if (value < 0) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`);
  return value === 0 ? 0 : value;
}
