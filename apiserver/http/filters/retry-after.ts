import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import type { Filter } from './filter.ts';

/** Probes, scrapes and requests of API servers themselves are served until the end: they have to finish their work. */
const exempt = /^\/(readyz|livez|healthz|metrics)/;

/** Answers new requests during shutdown with 429 and Retry-After, and closes their connection, so that clients turn to another server. */
export function retryAfter(isEnding: () => boolean): Filter {
  return (exchange, next) => {
    if (!isEnding() || exempt.test(exchange.info.path) || isApiServer(exchange)) return next(exchange);
    exchange.endConnection();
    return sendText(exchange, 429, 'The apiserver is shutting down, please try again later.\n', ['Retry-After', '5']);
  };
}

function isApiServer(exchange: Exchange): boolean {
  return exchange.header('user-agent')?.startsWith('kube-apiserver/') === true;
}
