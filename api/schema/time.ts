// Times as Go reads and writes them: metav1.Time (seconds) and MicroTime (six digits), with the words of Go's time.Parse.

/** The text is no time; the message is Go's. */
export class TimeError extends Error {
  override readonly name = 'TimeError';
}

interface Parsed {
  readonly utcMs: number;
  /** Below the millisecond, in whole microseconds. */
  readonly micros: number;
}

const secondsLayout = '2006-01-02T15:04:05Z07:00';
const microLayout = '2006-01-02T15:04:05.000000Z07:00';
/** What is canonical already: the usual case. Days are checked apart. */
const canonicalSeconds = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const canonicalMicros = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;
const zeroMs = -62_135_596_800_000;
const zeroSeconds = '0001-01-01T00:00:00Z';

/** The canonical text of a metav1.Time; undefined for Go's zero time, which is written as nothing. Throws TimeError. */
export function canonicalTime(text: string): string | undefined {
  if (canonicalSeconds.test(text)) return text === zeroSeconds ? undefined : text;
  const { utcMs, micros } = parseTime(text, secondsLayout);
  if (utcMs === zeroMs && micros === 0) return undefined;
  return `${isoSeconds(utcMs)}Z`;
}

/** The canonical text of a metav1.MicroTime; undefined for the zero time. Throws TimeError. */
export function canonicalMicroTime(text: string): string | undefined {
  if (canonicalMicros.test(text)) return text.startsWith('0001-01-01T00:00:00.000000') ? undefined : text;
  const { utcMs, micros } = parseTime(text, microLayout);
  if (utcMs === zeroMs && micros === 0) return undefined;
  const fraction = (((utcMs % 1_000) + 1_000) % 1_000) * 1_000 + micros;
  return `${isoSeconds(utcMs)}.${String(fraction).padStart(6, '0')}Z`;
}

function isoSeconds(utcMs: number): string {
  const iso = new Date(utcMs).toISOString();
  return iso.slice(0, iso.indexOf('.'));
}

/** Walks the layout as Go's time.Parse does, one element after the other. */
function parseTime(text: string, layout: string): Parsed {
  const reader = new LayoutReader(text, layout);
  const year = reader.digits('2006', 4);
  reader.literal('-');
  const month = reader.two('01', true, 1, 12, 'month');
  reader.literal('-');
  const day = reader.two('02', true, 0, 99, 'day');
  reader.literal('T');
  const hour = reader.two('15', false, 0, 23, 'hour');
  reader.literal(':');
  const minute = reader.two('04', true, 0, 59, 'minute');
  reader.literal(':');
  const second = reader.two('05', true, 0, 59, 'second');
  const nanos = layout === microLayout ? reader.fraction('.000000', 6) : reader.optionalFraction();
  const offsetMinutes = reader.zone('Z07:00');
  reader.end();
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  if (day < 1 || day > date.getUTCDate()) reader.fail(': day out of range');
  date.setUTCFullYear(year, month - 1, day);
  const millis = Math.trunc(nanos / 1_000_000);
  const utcMs = date.setUTCHours(hour, minute, second, millis) - offsetMinutes * 60_000;
  return { utcMs, micros: Math.trunc((nanos % 1_000_000) / 1_000) };
}

class LayoutReader {
  readonly #text: string;
  readonly #layout: string;
  #rest: string;

  constructor(text: string, layout: string) {
    this.#text = text;
    this.#layout = layout;
    this.#rest = text;
  }

  literal(text: string): void {
    if (!this.#rest.startsWith(text)) this.#cannot(this.#rest, text);
    this.#rest = this.#rest.slice(text.length);
  }

  digits(element: string, count: number): number {
    const found = this.#rest.slice(0, count);
    if (!/^\d+$/.test(found) || found.length < count) this.#cannot(this.#rest, element);
    this.#rest = this.#rest.slice(count);
    return Number(found);
  }

  /** Two digits, or one where Go allows it. */
  two(element: string, isFixed: boolean, min: number, max: number, what: string): number {
    const found = (isFixed ? /^\d\d/ : /^\d\d?/).exec(this.#rest)?.[0];
    if (found === undefined) return this.#cannot(this.#rest, element);
    this.#rest = this.#rest.slice(found.length);
    const value = Number(found);
    if (value < min || value > max) this.fail(`: ${what} out of range`);
    return value;
  }

  /** Exactly so many digits behind a point; answers nanoseconds. */
  fraction(element: string, count: number): number {
    const found = /^[.,](\d+)$/.exec(this.#rest.slice(0, count + 1))?.[1];
    if (found === undefined || found.length < count) return this.#cannot(this.#rest, element);
    this.#rest = this.#rest.slice(count + 1);
    return Number(found) * 10 ** (9 - count);
  }

  /** Any number of digits behind a point, or nothing; answers nanoseconds. */
  optionalFraction(): number {
    const found = /^[.,](\d+)/.exec(this.#rest)?.[1];
    if (found === undefined) return 0;
    this.#rest = this.#rest.slice(found.length + 1);
    return Number(found.slice(0, 9).padEnd(9, '0'));
  }

  /** The offset in minutes. */
  zone(element: string): number {
    if (this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1);
      return 0;
    }
    const [found, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)/.exec(this.#rest) ?? [];
    if (found === undefined) return this.#cannot(this.#rest, element);
    this.#rest = this.#rest.slice(found.length);
    if (Number(hours) > 24) this.fail(': time zone offset hour out of range');
    if (Number(minutes) > 60) this.fail(': time zone offset minute out of range');
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  }

  end(): void {
    if (this.#rest !== '') this.fail(`: extra text: ${JSON.stringify(this.#rest)}`);
  }

  fail(why: string): never {
    throw new TimeError(`parsing time ${JSON.stringify(this.#text)}${why}`);
  }

  #cannot(value: string, element: string): never {
    const as = `as ${JSON.stringify(this.#layout)}: cannot parse ${JSON.stringify(value)} as ${JSON.stringify(element)}`;
    throw new TimeError(`parsing time ${JSON.stringify(this.#text)} ${as}`);
  }
}
