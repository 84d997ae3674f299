/** However slow etcd is, nobody waits longer for others. */
const longestMs = 10;

/** What became of a transaction. */
export interface Gathered {
  readonly writes: number;
  /** Who came while it was under way. */
  readonly waiting: number;
  /** Whether some who waited before had to be left out: it was full, or their keys were in it. */
  readonly hasLeftOut: boolean;
  readonly tookMs: number;
}

/**
 * Whether writes wait for more to come along. As many are expected as there were: those of the transaction before, who come back with their next
 * write, and those who came meanwhile. Without this the same writers would take turns in two halves, in twice as many transactions. They
 * are waited for no longer than the transaction before took, and who does not come is not waited for again. Who writes alone never waits.
 */
export class Gathering {
  #expected = 1;
  #patienceMs = 0;

  /** How long `waiting` writes wait, from the first one on; 0: they go at once. */
  patienceMs(waiting: number): number {
    return waiting < this.#expected ? this.#patienceMs : 0;
  }

  done({ writes, waiting, hasLeftOut, tookMs }: Gathered): void {
    this.#expected = hasLeftOut ? 1 : writes + waiting;
    this.#patienceMs = Math.min(tookMs, longestMs);
  }

  /** The others did not come in time. */
  giveUp(): void {
    this.#expected = 1;
  }
}
