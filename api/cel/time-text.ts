// Durations and times as texts, to the nanosecond, as Go reads and writes them.

const units: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const wholeText = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const part = /(?<whole>\d*)\.?(?<fraction>\d*)(?<unit>ns|us|µs|μs|ms|s|m|h)/g;

/** `1h30m`, `-1.5s`; undefined where the text is no duration or one of more than 292 years. */
export function parseNanoseconds(text: string): bigint | undefined {
  if (!wholeText.test(text)) return undefined;
  let sum = 0n;
  for (const { groups = {} } of text.matchAll(part)) {
    const { whole = '', fraction = '', unit = '' } = groups;
    const scale = units.get(unit) ?? 1n;
    sum += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
    if (sum > 2n ** 63n) return undefined;
  }
  if (text.startsWith('-')) return -sum;
  return sum === 2n ** 63n ? undefined : sum;
}

/** Seconds without an exponent: `0.000000001`. */
export function secondsText(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n) + Number(nanoseconds % 1_000_000_000n) / 1e9;
  const text = String(seconds);
  return text.includes('e') ? seconds.toFixed(20).replace(/0+$/, '') : text;
}

export interface Time {
  /** Since 1970. */
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

const form =
  /^(?<year>\d{4})-(?<month>0[1-9]|1[0-2])-(?<day>0[1-9]|[12]\d|3[01])[Tt](?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)(?:\.(?<fraction>\d+))?(?:[Zz]|(?<sign>[-+])(?<offsetHour>[01]\d|2[0-3]):(?<offsetMinute>[0-5]\d))$/;

/** Undefined where the text has the form of a time but none that exists, such as 30 February or a leap second. */
export function parseRfc3339(text: string): Time | 'malformed' | undefined {
  const { groups } = form.exec(text) ?? {};
  if (groups === undefined) return 'malformed';
  const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map((name) => Number(groups[name]));
  // Go wants the letters in upper case.
  if (/[tz]/.test(text) || second === 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 1) - 1, day);
  if (date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour ?? 0, minute, second);
  const offset = Number(groups['offsetHour'] ?? 0) * 3_600 + Number(groups['offsetMinute'] ?? 0) * 60;
  const seconds = Math.round(date.getTime() / 1_000) - (groups['sign'] === '-' ? -offset : offset);
  return { seconds: BigInt(seconds), nanoseconds: Number((groups['fraction'] ?? '').padEnd(9, '0').slice(0, 9)) };
}

/** In UTC, with as much of a fraction as there is. */
export function timestampText(seconds: bigint, nanoseconds: number): string {
  const date = new Date(Number(seconds) * 1_000).toISOString().slice(0, 19);
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${date}${fraction}Z`;
}
