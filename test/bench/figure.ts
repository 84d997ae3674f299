/** One line of the report. */
export interface Figure {
  /** What was measured, in a few words. */
  readonly what: string;
  readonly ours: Quantity;
  /** What must be reached; undefined where nothing is set. */
  readonly target?: Quantity;
  /** The same work done by a bare Node server in the same run. */
  readonly raw?: Quantity;
  /** CPU time that the server spent on one operation, and the bare server's: less touched by what else the machine does. */
  readonly cpu?: { readonly oursMicros: number; readonly rawMicros?: number };
  readonly note?: string;
}

export interface Quantity {
  readonly value: number;
  readonly unit: '/s' | 'ms' | 's' | 'MB' | '%';
}

/** Whether a figure is as good as its target: rates must be as high, everything else as low. */
export function reaches({ ours, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return ours.unit === '/s' ? ours.value >= target.value : ours.value <= target.value;
}

export const perSecond = (value: number): Quantity => ({ value, unit: '/s' });
export const ms = (value: number): Quantity => ({ value, unit: 'ms' });
export const seconds = (value: number): Quantity => ({ value, unit: 's' });
export const megabytes = (value: number): Quantity => ({ value, unit: 'MB' });
export const percent = (value: number): Quantity => ({ value, unit: '%' });

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
