import type { Filter } from './filter.ts';

/** Adds Strict-Transport-Security with these directives to every response. */
export function transportSecurity(directives: string): Filter {
  return (exchange, next) => {
    exchange.addHeaders('Strict-Transport-Security', directives);
    return next(exchange);
  };
}
