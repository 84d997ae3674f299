import { apiVersionOf } from '#api/meta/object.ts';
import { badRequest } from '#api/meta/status.ts';
import type { Authorizer } from '../authz/contract.ts';
import { sendValue } from '../http/respond.ts';
import { actBody, member, text } from './body.ts';
import type { SubresourceHandler } from './contract.ts';

/** `selfsubjectrulesreviews`: all that the asker may do in a namespace (`kubectl auth can-i --list`). */
export function selfSubjectRulesReview(authorizer: Authorizer): SubresourceHandler {
  return {
    verbs: ['create'],
    serve: async (exchange, kind, deps) => {
      const wanted = deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
      const namespace = text(member((await actBody(exchange, kind, deps)).body, 'spec'), 'namespace');
      if (namespace === '') throw badRequest('no namespace on request');
      const { resourceRules, nonResourceRules, isIncomplete, errors } = authorizer.rightsOf(exchange.requireUser, namespace);
      // The question is not repeated: upstream answers an empty spec, too.
      sendValue(exchange, wanted, 201, {
        kind: kind.kind,
        apiVersion: apiVersionOf(kind),
        metadata: {},
        spec: {},
        status: {
          resourceRules,
          nonResourceRules,
          incomplete: isIncomplete,
          ...(errors.length === 0 ? {} : { evaluationError: errors.length === 1 ? errors[0] : `[${errors.join(', ')}]` }),
        },
      });
    },
  };
}
