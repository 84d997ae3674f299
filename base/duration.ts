// Durations as Go's time package reads and writes them: `1h30m`, `1.5s`, `-3ms`.

/** The text is no duration; the message is Go's. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

const nanoseconds: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3_600e9],
]);
const largest = 2 ** 63;

/** Milliseconds, with fractions. Throws DurationError. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const invalid = new DurationError(`time: invalid duration ${quoted}`);
  const unsigned = text.replace(/^[-+]/, '');
  if (unsigned === '0') return 0;
  if (unsigned === '') throw invalid;
  const part = /(?<amount>[0-9]*(?:\.[0-9]*)?)(?<unit>[^.0-9]*)/y;
  let sum = 0;
  while (part.lastIndex < unsigned.length) {
    const { amount = '', unit = '' } = part.exec(unsigned)?.groups ?? {};
    if (!/[0-9]/.test(amount)) throw invalid;
    if (unit === '') throw new DurationError(`time: missing unit in duration ${quoted}`);
    const scale = nanoseconds.get(unit);
    if (scale === undefined) throw new DurationError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    sum += Number(amount) * scale;
    if (sum > largest) throw invalid;
  }
  return (text.startsWith('-') ? -sum : sum) / 1e6;
}

/** As `parseDuration`, but undefined where the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}

/** What Go prints of whole milliseconds: `0s`, `20ms`, `1.5s`, `1m20s`, `5m0s`, `1h0m0.001s`. Not for negative ones. */
export function formatDuration(durationMs: number): string {
  const ms = Math.trunc(durationMs);
  if (ms > 0 && ms < 1_000) return `${ms}ms`;
  const seconds = `${(ms % 60_000) / 1_000}s`;
  const minutes = Math.trunc(ms / 60_000);
  if (minutes === 0) return seconds;
  const hours = Math.trunc(minutes / 60);
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`;
}

/** What Go prints of a duration that was measured, to the nanosecond: `612.25ms`, `1.5s`, `1m2.000000001s`. Not for negative ones, or such below 1 ms. */
export function exactDuration(durationMs: number): string {
  const trimmed = (text: string): string => text.replace(/\.?0+$/, '');
  if (durationMs < 1_000) return `${trimmed(durationMs.toFixed(6))}ms`;
  const minutes = formatDuration(durationMs - (durationMs % 60_000)).replace(/0s$/, '');
  return `${durationMs < 60_000 ? '' : minutes}${trimmed(((durationMs % 60_000) / 1_000).toFixed(9))}s`;
}
