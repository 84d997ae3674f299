// Sums over lists of resources, as quotas are counted.
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  signOfQuantity,
  subtractQuantities,
} from '../../meta/quantity.ts';
import type { Amounts } from '../pod/pod-resources.ts';

type ReadAmounts = Readonly<Amounts>;

export function addAmounts(left: ReadAmounts, right: ReadAmounts): Amounts {
  const sum: Amounts = { ...left };
  for (const [name, amount] of Object.entries(right)) sum[name] = formatQuantity(addQuantities(left[name] ?? '0', amount));
  return sum;
}

/** What is left of `left`; nothing falls below zero. */
export function subtractAmounts(left: ReadAmounts, right: ReadAmounts): Amounts {
  const rest: Amounts = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    const difference = subtractQuantities(left[name] ?? '0', amount);
    rest[name] = signOfQuantity(difference) < 0 ? '0' : formatQuantity(difference);
  }
  return rest;
}

/** Those of some names. */
export function maskAmounts(amounts: ReadAmounts, names: readonly string[]): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => names.includes(name)));
}

export function withoutZeros(amounts: ReadAmounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => signOfQuantity(amount) !== 0));
}

/** Names whose amount is above a limit that there is. */
export function exceeding(amounts: ReadAmounts, limits: ReadAmounts): string[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const limit = limits[name];
    return limit !== undefined && compareQuantities(amount, limit) > 0 ? [name] : [];
  });
}

export function equalAmounts(left: ReadAmounts, right: ReadAmounts): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => right[name] !== undefined && compareQuantities(left[name] ?? '0', right[name]) === 0);
}

/** `cpu=1,pods=2`, sorted. */
export function amountsText(amounts: ReadAmounts): string {
  return Object.keys(amounts)
    .sort()
    .map((name) => `${name}=${canonicalQuantity(amounts[name] ?? '0')}`)
    .join(',');
}
