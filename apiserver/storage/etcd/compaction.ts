// Forgetting history, which all servers of an etcd share: one of them does it for all, each time it is due. As upstream's, so that both
// can work on one etcd: a key that counts the turns, and whoever counts it up first has this one.
import type { EtcdConnection } from './connection.ts';
import { EtcdFailure, storeError } from './failures.ts';
import { decodeTxn, encodeCompaction, encodeTxn, methods } from './messages.ts';

const turnKey = 'compact_rev_key';
const timeoutMs = 30_000;

/** Forgets everything before a revision of etcd. Tried once: the next turn comes soon enough. */
export async function compactHistory(connection: EtcdConnection, revision: number, signal: AbortSignal): Promise<void> {
  if (revision < 1) return;
  try {
    await connection.call(methods.compact, encodeCompaction(revision), { timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof EtcdFailure)) throw error;
    // Somebody was faster.
    if (error.storeCode === 'compacted') return;
    throw storeError(error);
  }
}

export class CompactionTurn {
  readonly #connection: EtcdConnection;
  /** How often the key was written, as far as known here. */
  #turns = 0;

  constructor(connection: EtcdConnection) {
    this.#connection = connection;
  }

  /** True when this server has the turn, to compact up to `revision`. A server that sees the turn taken by another is up to date for the next. */
  async claim(revision: number, signal: AbortSignal): Promise<boolean> {
    const request = encodeTxn({
      guards: [{ key: turnKey, compare: 'version', equals: this.#turns }],
      changes: [{ do: 'put', key: turnKey, value: Buffer.from(String(revision)) }],
    });
    try {
      const { succeeded, current } = decodeTxn(await this.#connection.call(methods.txn, request, { timeoutMs, signal }));
      this.#turns = succeeded ? this.#turns + 1 : (current?.version ?? 0);
      return succeeded;
    } catch (error) {
      throw error instanceof EtcdFailure ? storeError(error) : error;
    }
  }
}
