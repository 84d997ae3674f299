import { ApiError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { RequestAudit } from '../../audit/contract.ts';
import { type AuthorizationRequest, type Authorizer, type Decision, forbiddenText } from '../../authz/contract.ts';
import type { AuthorizationMetrics } from '../../metrics/access-metrics.ts';
import type { Exchange } from '../exchange.ts';
import { sendError } from '../respond.ts';
import type { Filter } from './filter.ts';

/** Verbs whose selectors count, but for the old form of watches. */
const readsMany = new Set(['list', 'watch', 'deletecollection']);

const results = { allow: 'allowed', deny: 'denied', none: 'no-opinion' } as const;

/** Lets through what the authorizer allows, answers 403 to everything else. */
export function authorization(authorizer: Authorizer, metrics: AuthorizationMetrics, clock: Clock): Filter {
  return (exchange, next) => {
    const request = authorizationRequest(exchange);
    const startMs = clock.monotonicMs();
    const proceed = (decision: Awaited<ReturnType<Authorizer['authorize']>>): Promise<void> | void => {
      metrics.took(results[decision.verdict], (clock.monotonicMs() - startMs) / 1_000);
      if (exchange.audit !== undefined) noteDecision(exchange.audit, decision);
      if (decision.verdict === 'allow') return next(exchange);
      sendError(exchange, refusal(request, decision.reason), ['X-Content-Type-Options', 'nosniff']);
      return undefined;
    };
    const result = authorizer.authorize(request);
    return result instanceof Promise ? result.then(proceed) : proceed(result);
  };
}

function noteDecision(audit: RequestAudit, { verdict, reason }: Decision): void {
  audit.annotate('authorization.k8s.io/decision', verdict === 'allow' ? 'allow' : 'forbid');
  audit.annotate('authorization.k8s.io/reason', reason);
}

/**
 * Asks for one more right that a request needs, of another verb: what changes a pod through a GET (WebSocket) needs `create` too.
 * Throws Forbidden.
 */
export async function requireVerb(authorizer: Authorizer, exchange: Exchange, verb: string): Promise<void> {
  const request = { ...authorizationRequest(exchange), verb };
  const decision = await authorizer.authorize(request);
  if (decision.verdict !== 'allow') throw refusal(request, decision.reason);
}

/** What a request asks for, as authorizers see it. */
export function authorizationRequest(exchange: Exchange): AuthorizationRequest {
  const { info } = exchange;
  return {
    user: exchange.requireUser,
    isResource: info.isResource,
    verb: info.verb,
    path: info.path,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    fieldSelector: readsMany.has(info.verb) && !info.isWatchPath ? exchange.query.get('fieldSelector') : undefined,
  };
}

/** The 403 response to a request that no authorizer allows. */
export function refusal(request: AuthorizationRequest, reason: string): ApiError {
  const why = `${forbiddenText(request)}${reason === '' ? '' : `: ${reason}`}`;
  const resource = request.group === '' ? request.resource : `${request.resource}.${request.group}`;
  const subject = resource === '' ? '' : request.name === '' ? `${resource} is ` : `${resource} ${JSON.stringify(request.name)} is `;
  return new ApiError({
    reason: 'Forbidden',
    message: `${subject}forbidden: ${why}`,
    details: {
      ...(request.name === '' ? {} : { name: request.name }),
      ...(request.group === '' ? {} : { group: request.group }),
      ...(request.resource === '' ? {} : { kind: request.resource }),
    },
  });
}
