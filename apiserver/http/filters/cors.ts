import type { Exchange } from '../exchange.ts';
import type { Filter } from './filter.ts';

/** What pages of other origins may do, in upstream's words. */
const rights = [
  ['Access-Control-Allow-Methods', 'POST, GET, OPTIONS, PUT, DELETE, PATCH'],
  [
    'Access-Control-Allow-Headers',
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  ],
  ['Access-Control-Expose-Headers', 'Date'],
  ['Access-Control-Allow-Credentials', 'true'],
].flat();

/** Allows browsers requests from pages of these origins, and answers preflight requests, before authentication. */
export function cors(origins: readonly RegExp[]): Filter {
  return (exchange, next) => {
    const origin = exchange.header('origin') ?? '';
    if (origin === '' || !origins.some((one) => one.test(origin))) return next(exchange);
    exchange.addHeaders('Access-Control-Allow-Origin', origin, ...rights);
    return exchange.request.method === 'OPTIONS' ? answerNothing(exchange) : next(exchange);
  };
}

function answerNothing({ response, auditId, addedHeaders }: Exchange): void {
  response.writeHead(204, ['Audit-Id', auditId, 'Cache-Control', 'no-cache, private', ...addedHeaders]);
  response.end();
}
