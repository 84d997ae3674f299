import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Store } from './contract.ts';

const usualMs = 300_000;

interface CompactorDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** How often; 0 is never. Default: every five minutes. */
  readonly periodMs?: number | undefined;
}

/**
 * Forgets history once a period, up to where it was a period ago: so much can always be read back. Of several servers on one store one
 * does it.
 */
export class Compactor implements Service {
  readonly name = 'compactor';
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #periodMs: number;
  #forgottenRevision = 0;

  constructor({ store, clock, log, periodMs = usualMs }: CompactorDeps) {
    this.#periodMs = periodMs;
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** States older than this are forgotten, whichever server did it, and whatever happens still to be in memory. */
  get forgottenRevision(): number {
    return this.#forgottenRevision;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    while (!signal.aborted) {
      try {
        const revision = await this.#store.currentRevision(signal);
        await this.#clock.sleep(this.#periodMs || usualMs, signal);
        const isMine = this.#periodMs > 0 && revision > 0 && ((await this.#store.claimCompaction?.(revision, signal)) ?? true);
        if (this.#periodMs > 0) this.#forgottenRevision = revision;
        if (isMine) await this.#store.compact(revision, signal);
        await this.#store.releaseMemory?.(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#log.warn({ err: error }, 'compaction failed');
        await this.#clock.sleep(usualMs, signal).catch(() => undefined);
      }
    }
  }
}
