import equal from 'fast-deep-equal';
import type { Json } from './object.ts';

/**
 * Equality as upstream's Semantic.DeepEqual has it for decoded objects: an absent member, an empty list and an empty object are
 * the same. Quantities must be in canonical form, which decoding and defaults see to.
 */
export function equalValues(left: unknown, right: unknown): boolean {
  return left === right || equal(left, right) || equal(withoutEmpty(left as Json), withoutEmpty(right as Json));
}

/** A copy without undefined, null and empty members; the value itself where it is a leaf. */
function withoutEmpty(value: Json | undefined): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((one) => withoutEmpty(one) ?? null);
  if (typeof value !== 'object') return value;
  const members = Object.entries(value).flatMap(([key, member]) => {
    const kept = withoutEmpty(member);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
