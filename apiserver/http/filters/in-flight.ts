import { isLongRunning } from '../long-running.ts';
import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import type { Filter } from './filter.ts';

export interface InFlightLimits {
  /** Reads at a time; 0 is no limit. */
  readonly reads: number;
  /** Writes at a time; 0 is no limit. */
  readonly writes: number;
}

/** How many requests are being served. */
export interface InFlight {
  readonly filter: Filter;
  readonly reads: number;
  readonly writes: number;
}

const writeMethods = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Answers 429 where too many requests are under way; watches, logs and the like do not count, and administrators pass. */
export function inFlight(limits: InFlightLimits): InFlight {
  const counts = { reads: 0, writes: 0 };
  const filter: Filter = (exchange, next) => {
    if (isLongRunning(exchange.info)) return next(exchange);
    const kind = writeMethods.has(exchange.request.method ?? '') ? 'writes' : 'reads';
    const limit = limits[kind];
    if (limit > 0 && counts[kind] >= limit && !isAdministrator(exchange)) {
      return sendText(exchange, 429, 'Too many requests, please try again later.\n', ['Retry-After', '1']);
    }
    counts[kind]++;
    const release = (): void => void counts[kind]--;
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
      return counts.reads;
    },
    get writes() {
      return counts.writes;
    },
  };
}

function isAdministrator(exchange: Exchange): boolean {
  return exchange.user?.groups.includes('system:masters') ?? false;
}
