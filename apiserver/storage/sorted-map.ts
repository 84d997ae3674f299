import sortedBtree, { type default as Tree } from 'sorted-btree';

type Constructor = typeof Tree.default;
/** What a CommonJS module's default import is depends on who loads it: Node gives the exports, bundlers and test runners the class. */
const loaded: Constructor | { readonly default: Constructor } = sortedBtree;

/** A map in key order whose `clone` costs nothing until one of the two changes. */
export const SortedMap: Constructor = typeof loaded === 'function' ? loaded : loaded.default;
export type SortedMap<Key, Value> = InstanceType<typeof Tree.default<Key, Value>>;

/** The order of text keys; half the cost of the map's own comparison, which works for any mixture of types. */
export function compareKeys(left: string, right: string): number {
  return left < right ? -1 : left === right ? 0 : 1;
}
