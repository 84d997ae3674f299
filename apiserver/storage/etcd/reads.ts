// Reads of etcd, tried again until they are answered: at another member where one does not answer, which is safe as they change nothing.
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { EtcdConnection } from './connection.ts';
import { EtcdFailure, storeError } from './failures.ts';
import { decodeRange, encodeRange, methods, type RangeRequest, type RangeResponse } from './messages.ts';

/** A member that takes longer is not waited for: a majority answers within milliseconds. */
const attemptMs = 1_000;
/** For those that come late a second time, and for pages. */
const longAttemptMs = 3_000;
/** An election takes a second, with etcd's own timing one to three. */
const patienceMs = 12_000;

/** The key that asks for nothing but the revision. */
const revisionOnly: RangeRequest = { key: '\0', limit: 1, countOnly: true };

export interface EtcdReadsDeps {
  readonly connection: Pick<EtcdConnection, 'call'>;
  readonly clock: Clock;
}

export class EtcdReads {
  readonly #deps: EtcdReadsDeps;
  #next: Promise<number> | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(deps: EtcdReadsDeps) {
    this.#deps = deps;
  }

  /** Linearizable: sees every write that was acknowledged before the call. Rejects with StoreError, or with the signal's reason. */
  async range(request: RangeRequest, signal: AbortSignal): Promise<RangeResponse> {
    const { connection, clock } = this.#deps;
    const bytes = encodeRange(request);
    const backoff = new Backoff({ initialMs: 20, maxMs: 150, jitter: 0.5 });
    const untilMs = clock.monotonicMs() + patienceMs;
    let timeoutMs = request.end === undefined ? attemptMs : longAttemptMs;
    for (;;) {
      try {
        return decodeRange(await connection.call(methods.range, bytes, { timeoutMs, signal }));
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        if (error.storeCode === 'timeout') timeoutMs = longAttemptMs;
        if (error.verdict === 'final' || clock.monotonicMs() >= untilMs) throw storeError(error);
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  /**
   * The newest revision. Callers share answers: those who come while a question is under way wait for the next one, since the one
   * under way may be answered from before their time.
   */
  async currentRevision(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    this.#next ??= this.#ask();
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#next, gone]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  async #ask(): Promise<number> {
    await this.#running;
    this.#next = undefined;
    // No caller's signal: the answer belongs to several. The connection's end and patience bound it.
    const answer = this.range(revisionOnly, new AbortController().signal).then(({ revision }) => revision);
    this.#running = answer.catch(() => undefined);
    return await answer;
  }
}
