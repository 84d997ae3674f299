// What an endpoint of a kind resets whatever the client says (upstream's GetResetFields and GetResetFieldsFilter): no manager owns such
// fields through it, so they cause no conflicts there.
import { differenceBelow, type FieldNode, isEmptySet, isMember, setOf, withoutSelf, withSelf } from './field-set.ts';

/** Dotted paths that are reset with all below them; or, with `allBut`, the only ones that are not. There `*` stands for any step. */
export type ResetFields = readonly string[] | { readonly allBut: readonly string[] };

/** A set without what is reset; undefined where an endpoint resets nothing. */
export type ResetFilter = ((set: FieldNode) => FieldNode) | undefined;

/** Made once for a kind's endpoint. */
export function resetFilter(fields: ResetFields | undefined): ResetFilter {
  if (fields === undefined) return undefined;
  if ('allBut' in fields) {
    const kept = setOf(fields.allBut.map(steps));
    return (set) => matching(set, kept);
  }
  if (fields.length === 0) return undefined;
  const reset = setOf(fields.map(steps));
  return (set) => differenceBelow(set, reset);
}

/** What lies at or below one of the paths of `pattern`. */
function matching(set: FieldNode, pattern: FieldNode): FieldNode {
  const result: Record<string, FieldNode> = {};
  for (const element of Object.keys(set)) {
    const wanted = pattern[element] ?? pattern['*'];
    if (wanted === undefined) continue;
    const node = set[element] as FieldNode;
    const kept = isEmptySet(wanted) ? node : withSelf(isMember(wanted) && isMember(node), matching(withoutSelf(node), wanted));
    if (kept !== undefined) result[element] = kept;
  }
  return result;
}

function steps(path: string): string[] {
  return path.split('.').map((name) => (name === '*' ? name : `f:${name}`));
}
