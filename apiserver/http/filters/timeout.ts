import { aborted, type Service } from '#base/lifecycle.ts';
import type { Clock } from '#base/clock.ts';
import { parseDurationMs } from '#base/duration.ts';
import { ApiError, badRequest } from '#api/meta/status.ts';
import type { Auditor } from '../../audit/auditor.ts';
import type { Exchange } from '../exchange.ts';
import { isLongRunning } from '../long-running.ts';
import { sendError } from '../respond.ts';
import type { Filter } from './filter.ts';

const tickMs = 1_000;

/**
 * Ends requests that take longer than `limitMs`, or than the shorter `?timeout=` that they bring, with a 504. One ticking service looks over all of them, so that a request costs
 * no timer; a limit is therefore kept to the second.
 */
export class RequestTimeouts implements Service {
  readonly name = 'request timeouts';
  readonly filter: Filter;
  /** With the time each may take. */
  readonly #open = new Map<Exchange, number>();
  readonly #clock: Clock;

  /** @param auditor records requests that are rejected here; they are not authenticated. */
  constructor(limitMs: number, clock: Clock, auditor?: Auditor) {
    this.#clock = clock;
    this.filter = (exchange, next) => {
      if (isLongRunning(exchange.info)) return next(exchange);
      const asked = askedMs(exchange.query.get('timeout') ?? '', () => auditor?.begin(exchange, false));
      this.#open.set(exchange, asked > 0 ? Math.min(asked, limitMs) : limitMs);
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
    for (const [exchange, limitMs] of this.#open) {
      if (nowMs - exchange.startMs < limitMs) continue;
      this.#open.delete(exchange);
      exchange.isTerminated = true;
      exchange.abort(new Error('the request took too long'));
      if (exchange.response.headersSent) exchange.response.destroy();
      else sendError(exchange, timeoutError());
    }
  }
}

/** Reads `?timeout=`; 0 asks for nothing. Throws BadRequest in Go's words, after `refusing`. */
function askedMs(text: string, refusing: () => void): number {
  if (text === '') return 0;
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms;
  refusing();
  throw badRequest(`invalid timeout specified in the request URL - time: ${durationProblem(text)}`);
}

/** What is wrong with a duration, as Go's parser finds it from left to right. */
function durationProblem(text: string): string {
  const quoted = JSON.stringify(text);
  const part = /(?:\d+\.?\d*|\.\d+)([^\d.]*)/y;
  part.lastIndex = /^[+-]/.test(text) ? 1 : 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const [, unit = ''] = match;
    if (unit === '') return `missing unit in duration ${quoted}`;
    if (parseDurationMs(`1${unit}`) === undefined) return `unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
  }
  return `invalid duration ${quoted}`;
}

function timeoutError(): ApiError {
  return new ApiError({ reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout', details: {} });
}
