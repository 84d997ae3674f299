import equal from 'fast-deep-equal';
import type { Json } from './object.ts';

/**
 * Equality as upstream's Semantic.DeepEqual has it for decoded objects: an absent member, null and an empty list are the same. An
 * empty object is something else than none inside of a value: decoding drops empty maps, so what is left is a part that is given,
 * such as `securityContext: {}`. At the top nothing and empty are equal, whatever they are. Quantities must be in canonical form,
 * which decoding and defaults see to.
 */
export function equalValues(left: unknown, right: unknown): boolean {
  return left === right || equal(left, right) || equal(withoutEmpty(left as Json) ?? {}, withoutEmpty(right as Json) ?? {});
}

/** A copy without undefined, null and empty lists; the value itself where it is a leaf. */
function withoutEmpty(value: Json | undefined): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((one) => withoutEmpty(one) ?? null);
  if (typeof value !== 'object') return value;
  const kept: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value)) {
    const own = withoutEmpty(member);
    if (own !== undefined) kept[key] = own;
  }
  return kept;
}
