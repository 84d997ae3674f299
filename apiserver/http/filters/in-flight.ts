import type { Clock } from '#base/clock.ts';
import { isLongRunning } from '../long-running.ts';
import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import type { Filter } from './filter.ts';

interface InFlightLimits {
  /** Reads at a time; 0 is no limit. */
  readonly reads: number;
  /** Writes at a time; 0 is no limit. */
  readonly writes: number;
}

/** The most requests that were served at once within the last second; long-running ones do not count. */
export interface InFlight {
  readonly filter: Filter;
  readonly reads: number;
  readonly writes: number;
}

const writeMethods = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Answers 429 where too many requests are under way; watches, logs and the like do not count, and administrators pass. */
export function inFlight(limits: InFlightLimits, clock: Pick<Clock, 'monotonicMs'>): InFlight {
  const served = { reads: new Tide(), writes: new Tide() };
  const filter: Filter = (exchange, next) => {
    if (isLongRunning(exchange.info)) return next(exchange);
    const kind = writeMethods.has(exchange.request.method ?? '') ? 'writes' : 'reads';
    const limit = limits[kind];
    const tide = served[kind];
    if (limit > 0 && tide.now >= limit && !isAdministrator(exchange)) {
      exchange.isTerminated = true;
      return sendText(exchange, 429, 'Too many requests, please try again later.\n', ['Retry-After', '1']);
    }
    tide.rise(exchange.startMs);
    const release = (): void => void tide.now--;
    let done: Promise<void> | void;
    try {
      done = next(exchange);
    } catch (error) {
      release();
      throw error;
    }
    if (done === undefined) return release();
    return done.finally(release);
  };
  return {
    filter,
    get reads() {
      return served.reads.highest(clock.monotonicMs());
    },
    get writes() {
      return served.writes.highest(clock.monotonicMs());
    },
  };
}

/** A count with its highest mark, second by second. */
class Tide {
  now = 0;
  #second = 0;
  #high = 0;
  #before = 0;

  rise(nowMs: number): void {
    this.#turn(Math.floor(nowMs / 1_000));
    this.now++;
    if (this.now > this.#high) this.#high = this.now;
  }

  /** The highest of this second and the one before. */
  highest(nowMs: number): number {
    this.#turn(Math.floor(nowMs / 1_000));
    return Math.max(this.#high, this.#before);
  }

  #turn(second: number): void {
    if (second <= this.#second) return;
    this.#before = second === this.#second + 1 ? this.#high : this.now;
    this.#second = second;
    this.#high = this.now;
  }
}

function isAdministrator(exchange: Exchange): boolean {
  return exchange.user?.groups.includes('system:masters') ?? false;
}
