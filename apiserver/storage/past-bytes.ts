/** Pieces of this size the C library maps and gives back one by one (`MALLOC_MMAP_THRESHOLD_` in cli/cluster/components.ts). */
const slabBytes = 256 * 1_024;
/** What is larger stays where it is: it would leave too much of a slab empty. */
const largestBytes = slabBytes / 8;

/**
 * Keeps the bytes of what was replaced, in slabs that are filled one after the other and thrown away whole. The events of one resource are
 * forgotten in the order in which they came; left where they were, among the bytes of current objects, they would leave holes in the
 * process' memory which nobody gives back.
 */
export class PastBytes {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** A copy of the bytes, or the bytes themselves where they are large. */
  keep(bytes: Buffer): Buffer {
    if (bytes.length > largestBytes) return bytes;
    if (this.#used + bytes.length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#used = 0;
    }
    const kept = this.#slab.subarray(this.#used, this.#used + bytes.length);
    this.#used += bytes.copy(kept);
    return kept;
  }
}
