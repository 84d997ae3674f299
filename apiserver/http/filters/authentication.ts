import { ApiError } from '#api/meta/status.ts';
import type { Authenticator } from '../../authn/contract.ts';
import { sendError } from '../respond.ts';
import type { Filter } from './filter.ts';

/** Finds out who asks, or answers 401. */
export function authentication(authenticator: Authenticator): Filter {
  return (exchange, next) => {
    const proceed = (user: Awaited<ReturnType<Authenticator['authenticate']>>): Promise<void> | void => {
      if (user === undefined) return sendError(exchange, unauthorized());
      exchange.user = user;
      return next(exchange);
    };
    const result = authenticator.authenticate(exchange);
    return result instanceof Promise ? result.then(proceed) : proceed(result);
  };
}

/** The 401 answer: says no more than that. */
export function unauthorized(): ApiError {
  return new ApiError({ reason: 'Unauthorized', message: 'Unauthorized' });
}
