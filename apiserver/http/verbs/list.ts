import { sendList } from '../list-writer.ts';
import { parseListRequest, readContext } from '../options.ts';
import { notTransformable } from '../table.ts';
import { type Verb, wantedOf } from './verb.ts';

/** All objects of a kind in a namespace or everywhere, or those that selectors leave. */
export const list: Verb = async (exchange, kind, deps) => {
  const wanted = wantedOf(exchange, kind, deps);
  if (wanted.form === 'partial') throw notTransformable(kind, 'list');
  const answer = await deps.registry.list(kind, parseListRequest(exchange.query), readContext(exchange));
  await sendList(exchange, wanted, kind, answer, deps);
};
