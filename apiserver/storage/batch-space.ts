/** Room for what most batches hold; more is made for one batch and forgotten. */
const spaceBytes = 256 * 1_024;

/**
 * Memory for the entries of one batch, used again for the next: a buffer for each would be memory beside the heap to allocate, to ask
 * the address of and to collect with every write. Whoever is given a part may use it until `reset`.
 */
export class BatchSpace {
  #space = Buffer.allocUnsafeSlow(spaceBytes);
  #used = 0;

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    const start = this.#used;
    if (start + bytes > spaceBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#used += bytes;
    return this.#space.subarray(start, this.#used);
  }

  /** The bytes given out are no longer read. */
  reset(): void {
    this.#used = 0;
  }

  /** Who reads what was given out is not known: leaves it to them. */
  renew(): void {
    this.#space = Buffer.allocUnsafeSlow(spaceBytes);
    this.#used = 0;
  }
}
