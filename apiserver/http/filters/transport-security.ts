import type { Filter } from './filter.ts';

/** Tells browsers on every answer to come by HTTPS alone, for as long as `directives` say. */
export function transportSecurity(directives: string): Filter {
  return (exchange, next) => {
    exchange.addHeaders('Strict-Transport-Security', directives);
    return next(exchange);
  };
}
