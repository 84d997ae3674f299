import type { Log } from '#base/log.ts';
import type { Exchange } from '../http/exchange.ts';
import type { UserInfo } from '../registry/contract.ts';
import { authenticatedGroup, type AuthenticationMethod, type Authenticator, unauthenticatedGroup, type Verdict } from './contract.ts';

const anonymous: UserInfo = { name: 'system:anonymous', groups: [unauthenticatedGroup] };

interface AuthenticatorDeps {
  /** Asked in this order; the first that knows the client decides. */
  readonly methods: readonly AuthenticationMethod[];
  /** Whether clients that show nothing come through as `system:anonymous`; roles say what that user may do. */
  readonly acceptsAnonymous: boolean;
  readonly log: Log;
}

/** Joins the ways to authenticate. A client with invalid credentials is unauthenticated. */
export function createAuthenticator({ methods, acceptsAnonymous, log }: AuthenticatorDeps): Authenticator {
  const conclude = (exchange: Exchange, refusals: readonly string[]): UserInfo | undefined => {
    if (refusals.length === 0) return acceptsAnonymous ? anonymous : undefined;
    log.debug({ refusals, auditId: exchange.auditId }, 'unable to authenticate a request');
    return undefined;
  };
  const ask = (exchange: Exchange, at: number, refusals: readonly string[]): UserInfo | undefined | Promise<UserInfo | undefined> => {
    const method = methods[at];
    if (method === undefined) return conclude(exchange, refusals);
    const judge = (verdict: Verdict): UserInfo | undefined | Promise<UserInfo | undefined> => {
      if (verdict.kind === 'user') return verdict.user;
      const more = verdict.kind === 'refused' ? [...refusals, `${method.name}: ${verdict.why}`] : refusals;
      return ask(exchange, at + 1, more);
    };
    const verdict = method.check(exchange);
    return verdict instanceof Promise ? verdict.then(judge) : judge(verdict);
  };
  return { authenticate: (exchange) => ask(exchange, 0, []) };
}

/** A user with the group that all authenticated users have. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  return user.groups.includes(authenticatedGroup) ? user : { ...user, groups: [...user.groups, authenticatedGroup] };
}
