import type { FieldNode } from './field-set.ts';

/** Of signatures; their sets take some twenty times as much. */
const defaultBudget = 32_768;

/**
 * Sets of fields that many objects have, made once. Sets are never changed, so all these objects may have the same one. Bounded: when
 * it is full it starts anew.
 */
export class SharedSets {
  readonly #budget: number;
  readonly #sets = new Map<string, FieldNode>();
  readonly #texts = new WeakMap<object, string>();
  #length = 0;

  constructor(budget: number = defaultBudget) {
    this.#budget = budget;
  }

  /** The set of the objects with this signature; `make` makes it of one of them. */
  get(signature: string, make: () => FieldNode): FieldNode {
    const known = this.#sets.get(signature);
    if (known !== undefined) return known;
    if (this.#length + signature.length > this.#budget) {
      this.#sets.clear();
      this.#length = 0;
    }
    const set = make();
    this.#sets.set(signature, set);
    this.#texts.set(set, JSON.stringify(set));
    this.#length += signature.length;
    return set;
  }

  /** The JSON of a set, where it is known without making it. */
  textOf(set: object): string | undefined {
    return this.#texts.get(set);
  }
}
