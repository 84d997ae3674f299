import type { Dispatch } from '../../model/dispatch.ts';

/**
 * The kernel's state as far as scripts depend on it. Changes are remembered until `commit`, so that `rollback` takes back those of a
 * script that was refused.
 */
export class Picture {
  /** What each front has in the kernel, endpoints in the order of their indexes. */
  readonly fronts = new Map<string, Dispatch>();
  /** Chains `<family>_spread_<n>` that exist, with how many fronts use each. */
  readonly spreads = new Map<string, number>();
  /** Per family: how many maps and chains `<family>_pick_<i>` exist. */
  readonly picks = new Map<string, number>();
  /** How many fronts use an endpoint's address: the hairpin set holds each once. */
  readonly endpointUses = new Map<string, number>();
  /** How many fronts a Service address has. */
  readonly virtualUses = new Map<string, number>();
  #undo: (() => void)[] = [];

  set<V>(map: Map<string, V>, key: string, value: V): void {
    this.#remember(map, key);
    map.set(key, value);
  }

  delete<V>(map: Map<string, V>, key: string): void {
    this.#remember(map, key);
    map.delete(key);
  }

  /** Adds to a count; counts of 0 are forgotten. Answers how many there are now. */
  count(map: Map<string, number>, key: string, by: 1 | -1): number {
    const next = (map.get(key) ?? 0) + by;
    if (next === 0) this.delete(map, key);
    else this.set(map, key, next);
    return next;
  }

  commit(): void {
    this.#undo = [];
  }

  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  #remember<V>(map: Map<string, V>, key: string): void {
    const before = map.get(key);
    this.#undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
  }
}
