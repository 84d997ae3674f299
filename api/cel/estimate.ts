// Ranges of costs and sizes: from the best to the worst case, as unsigned 64-bit numbers that stay at the largest one instead of
// overflowing. Upstream: cel-go/common/cost.

export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

export const largest = 2n ** 64n - 1n;
/** Nothing is known of a size or cost. */
export const unknown: Range = { min: 0n, max: largest };
export const nothing: Range = { min: 0n, max: 0n };

export function fixed(value: bigint): Range {
  return { min: value, max: value };
}

export function add(left: Range, right: Range): Range {
  return { min: bounded(left.min + right.min), max: bounded(left.max + right.max) };
}

export function multiply(left: Range, right: Range): Range {
  return { min: bounded(left.min * right.min), max: bounded(left.max * right.max) };
}

/** Times a fraction, rounded up, with the precision of a double. */
export function scale({ min, max }: Range, factor: number): Range {
  return { min: scaled(min, factor), max: scaled(max, factor) };
}

/** What both may be. */
export function union(left: Range, right: Range): Range {
  return { min: left.min < right.min ? left.min : right.min, max: left.max > right.max ? left.max : right.max };
}

function bounded(value: bigint): bigint {
  return value > largest ? largest : value;
}

function scaled(value: bigint, factor: number): bigint {
  const ceiling = Math.ceil(Number(value) * factor);
  if (!(ceiling > 0)) return 0n;
  return ceiling >= 2 ** 64 ? largest : BigInt(ceiling);
}
