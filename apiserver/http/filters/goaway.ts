import type { Filter } from './filter.ts';

/**
 * Lets the connection of a share of the HTTP/2 requests end with what is under way on it: its client opens another one, which a load
 * balancer may lead to another server. `random` gives numbers from 0 to 1.
 */
export function goaway(chance: number, random: () => number): Filter {
  return (exchange, next) => {
    if (exchange.request.httpVersionMajor === 2 && random() < chance) exchange.endConnection();
    return next(exchange);
  };
}
