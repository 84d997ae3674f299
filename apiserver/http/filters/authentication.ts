import { ApiError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Auditor } from '../../audit/auditor.ts';
import type { Authenticator } from '../../authn/contract.ts';
import type { AuthenticationMetrics } from '../../metrics/access-metrics.ts';
import { sendError } from '../respond.ts';
import type { Filter } from './filter.ts';

interface AuthenticationDeps {
  readonly metrics: AuthenticationMetrics;
  readonly clock: Clock;
  /** Audits what is refused. */
  readonly auditor?: Auditor | undefined;
}

/** Finds out who asks, or answers 401. */
export function authentication(authenticator: Authenticator, { metrics, clock, auditor }: AuthenticationDeps): Filter {
  return (exchange, next) => {
    const took = (result: 'success' | 'failure' | 'error'): void => {
      metrics.took(result, (clock.monotonicMs() - exchange.startMs) / 1_000);
    };
    const proceed = (user: Awaited<ReturnType<Authenticator['authenticate']>>): Promise<void> | void => {
      if (user === undefined) {
        took('failure');
        auditor?.begin(exchange, false);
        return sendError(exchange, unauthorized());
      }
      took('success');
      metrics.authenticated(user.name);
      exchange.user = user;
      return next(exchange);
    };
    const result = authenticator.authenticate(exchange);
    return result instanceof Promise ? result.then(proceed) : proceed(result);
  };
}

/** The 401 answer: says no more than that. */
function unauthorized(): ApiError {
  return new ApiError({ reason: 'Unauthorized', message: 'Unauthorized' });
}
