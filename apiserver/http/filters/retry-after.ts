import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import type { Filter } from './filter.ts';

/** Probes and scrapes are answered to the end, and so is what API servers themselves ask: they have to finish their work. */
const exempt = /^\/(readyz|livez|healthz|metrics)/;

/** Sends away what comes while the server ends, to come again at another one; its connection ends, too. */
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
