import type { NodeInfo } from '../framework/node-info.ts';

/** Sums by place: a place is a label of nodes with one of its values. */
export class PlaceCounts {
  readonly #byKey = new Map<string, Map<string, number>>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** Adds to the place that a node is in; nothing where it lacks the label. */
  add(node: NodeInfo, topologyKey: string, amount: number): void {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    const values = this.#byKey.get(topologyKey) ?? new Map<string, number>();
    values.set(value, (values.get(value) ?? 0) + amount);
    this.#byKey.set(topologyKey, values);
  }

  /** What the node's place of this kind has; 0 where it is in none. */
  at(node: NodeInfo, topologyKey: string): number {
    const value = node.labels[topologyKey];
    return value === undefined ? 0 : (this.#byKey.get(topologyKey)?.get(value) ?? 0);
  }

  /** The sum over all places that a node is in. */
  sumAt(node: NodeInfo): number {
    let sum = 0;
    for (const topologyKey of this.#byKey.keys()) sum += this.at(node, topologyKey);
    return sum;
  }
}
