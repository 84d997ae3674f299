import type { Exchange } from '../http/exchange.ts';
import type { UserInfo } from '../registry/contract.ts';

/** Groups of every authenticated and every unauthenticated user. */
export const authenticatedGroup = 'system:authenticated';
export const unauthenticatedGroup = 'system:unauthenticated';

/** What one way to authenticate makes of a request. */
export type Verdict =
  /** It is them. */
  | { readonly kind: 'user'; readonly user: UserInfo }
  /** The request carries nothing of this sort: ask the next. */
  | { readonly kind: 'none' }
  /** It carries something of this sort that is wrong; the next may still know the client. */
  | { readonly kind: 'refused'; readonly why: string };

/** One way to find out who asks. Answers at once where it can: most requests come on known connections. */
export interface AuthenticationMethod {
  readonly name: string;
  check(exchange: Exchange): Verdict | Promise<Verdict>;
}

/** All authenticators; undefined: unauthenticated, answered with 401. */
export interface Authenticator {
  authenticate(exchange: Exchange): UserInfo | undefined | Promise<UserInfo | undefined>;
}
