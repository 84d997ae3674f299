import type { Exchange } from '../exchange.ts';

/** What comes after a filter. */
export type Next = (exchange: Exchange) => Promise<void> | void;

/** One step of a request's way: passes it on by calling `next`, or answers it. */
export type Filter = (exchange: Exchange, next: Next) => Promise<void> | void;

/** One function out of filters (outermost first) and the handler behind them. */
export function compose(filters: readonly Filter[], handler: Next): Next {
  return filters.reduceRight<Next>((next, filter) => (exchange) => filter(exchange, next), handler);
}
