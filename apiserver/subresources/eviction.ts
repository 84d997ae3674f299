import { badRequest } from '#api/meta/status.ts';
import { parseDelete } from '../http/options.ts';
import { sendValue } from '../http/respond.ts';
import { created } from './binding.ts';
import { actBody, member, text } from './body.ts';
import type { SubresourceHandler } from './contract.ts';

const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction', schema: 'io.k8s.api.policy.v1.Eviction' };

/** `pods/NAME/eviction`: a graceful delete that disruption budgets may one day refuse. */
export const podEviction: SubresourceHandler = {
  verbs: ['create'],
  serve: async (exchange, kind, deps) => {
    const act = await actBody(exchange, evictionKind, deps);
    const { body } = act;
    const name = text(member(body, 'metadata'), 'name');
    if (name !== exchange.info.pathName) throw badRequest('name in URL does not match name in Eviction object');
    const { request, context } = parseDelete(exchange, body['deleteOptions'] ?? {});
    const plain = { ...context, subresource: '', dryRun: act.context.dryRun || context.dryRun };
    await deps.registry.delete(kind, exchange.info.pathName, request, plain);
    sendValue(exchange, deps.negotiator.negotiate(exchange.request.headers.accept), 201, created);
  },
};
