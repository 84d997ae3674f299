import { type FieldProblem, invalid } from '../../meta/field-problem.ts';

/** https://data.iana.org/time-zones/theory.html#naming, with the digits and pluses of old names. */
const partPattern = /^[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}$/;

/** True for names of the IANA data, in their spelling. */
export function isTimeZone(name: string): boolean {
  // Intl takes any spelling, and offsets; in the data every part begins with a capital letter.
  if (!name.split('/').every((part) => /^[A-Z]/.test(part))) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The time zone of a CronJob; undefined is the one of the controller manager. */
export function validateTimeZone(timeZone: string | undefined, path: string): FieldProblem[] {
  if (timeZone === undefined) return [];
  if (timeZone === '') return [invalid(path, timeZone, 'timeZone must be nil or non-empty string')];
  const isUnknown = invalid(path, timeZone, `unknown time zone ${timeZone}`);
  if (timeZone.split('/').some((part) => part === '.' || part === '..' || !partPattern.test(part))) return [isUnknown];
  if (timeZone.toLowerCase() === 'local') {
    const text = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [invalid(path, timeZone, text), ...(timeZone === 'Local' ? [] : [isUnknown])];
  }
  return isTimeZone(timeZone) ? [] : [isUnknown];
}
