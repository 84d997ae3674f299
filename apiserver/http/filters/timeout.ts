import { aborted, type Service } from '#base/lifecycle.ts';
import type { Clock } from '#base/clock.ts';
import { ApiError } from '#api/meta/status.ts';
import type { Exchange } from '../exchange.ts';
import { isLongRunning } from '../long-running.ts';
import { sendError } from '../respond.ts';
import type { Filter } from './filter.ts';

const tickMs = 1_000;

/**
 * Ends requests that take longer than `limitMs` with a 504. One ticking service looks over all of them, so that a request costs
 * no timer; a limit is therefore kept to the second.
 */
export class RequestTimeouts implements Service {
  readonly name = 'request timeouts';
  readonly filter: Filter;
  readonly #open = new Set<Exchange>();
  readonly #limitMs: number;
  readonly #clock: Clock;

  constructor(limitMs: number, clock: Clock) {
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.filter = (exchange, next) => {
      if (isLongRunning(exchange.info)) return next(exchange);
      this.#open.add(exchange);
      const close = (): void => void this.#open.delete(exchange);
      let done: Promise<void> | void;
      try {
        done = next(exchange);
      } catch (error) {
        close();
        throw error;
      }
      if (done === undefined) return close();
      return done.finally(close);
    };
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const over = aborted(signal);
    while (!signal.aborted) {
      await Promise.race([this.#clock.sleep(tickMs, signal).catch(() => over), over]);
      this.#endLate();
    }
  }

  #endLate(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const exchange of this.#open) {
      if (nowMs - exchange.startMs < this.#limitMs) continue;
      this.#open.delete(exchange);
      exchange.abort(new Error('the request took too long'));
      if (exchange.response.headersSent) exchange.response.destroy();
      else sendError(exchange, timeoutError());
    }
  }
}

function timeoutError(): ApiError {
  return new ApiError({ reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout', details: {} });
}
