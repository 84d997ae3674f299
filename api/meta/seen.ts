/** Names met before. The first one costs nothing: most lists of containers, ports or mounts have no second. */
export class Seen {
  #first: string | undefined;
  #others: Set<string> | undefined;

  has(name: string): boolean {
    return name === this.#first || this.#others?.has(name) === true;
  }

  /** False when the name was there already. */
  add(name: string): boolean {
    if (this.has(name)) return false;
    if (this.#first === undefined) this.#first = name;
    else (this.#others ??= new Set()).add(name);
    return true;
  }
}
