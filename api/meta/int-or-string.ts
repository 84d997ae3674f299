/** A count, or a share of a total as `25%`. */
type IntOrString = number | string;

interface ScaleOptions {
  /** Which way a share is rounded. */
  readonly round: 'up' | 'down';
}

/** The count that a value stands for out of `total`. Undefined for a text that is no percentage. */
export function scaledCount(value: IntOrString, total: number, { round }: ScaleOptions): number | undefined {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined) return undefined;
  // Integers first, so that 10% of 30 is not 3.0000000000000004.
  return round === 'up' ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}

/** The number before the percent sign; undefined where it is no percentage. */
export function percentOf(value: string): number | undefined {
  const found = /^([0-9]+)%$/.exec(value);
  return found === null ? undefined : Number(found[1]);
}

/** True for 0 and 0%, and for texts that are no number at all, which count for nothing. */
export function isNone(value: IntOrString | undefined): boolean {
  if (typeof value !== 'string') return value === 0;
  const number = percentOf(value) ?? Number(/^[+-]?[0-9]+$/.exec(value)?.[0] ?? 0);
  return number === 0;
}
