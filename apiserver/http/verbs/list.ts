import { sendList } from '../list-writer.ts';
import { notAcceptable } from '../negotiate.ts';
import { parseListRequest, readContext } from '../options.ts';
import type { Verb } from './verb.ts';

/** All objects of a kind in a namespace or everywhere, or those that selectors leave. */
export const list: Verb = async (exchange, kind, deps) => {
  const wanted = deps.negotiator.negotiate(exchange.request.headers.accept);
  if (wanted.form === 'partial') throw notAcceptable(['application/json', 'application/yaml']);
  const answer = await deps.registry.list(kind, parseListRequest(exchange.query), readContext(exchange));
  await sendList(exchange, wanted, kind, answer, () => deps.clock.nowMs());
};
