// Bearer tokens of all kinds as one method: asked in order until one knows the token. TokenReviews ask the same.
import type { Exchange } from '../http/exchange.ts';
import type { AuthenticationMethod, Verdict } from './contract.ts';

/** What one kind of tokens makes of a token. */
export type TokenVerdict = Verdict & {
  /** Shown to the client. */
  readonly warning?: string;
  /** For the audit log, where the request has one. */
  readonly auditNotes?: Readonly<Record<string, string>>;
  /** For which of the audiences in question it holds; absent where tokens say nothing of audiences. */
  readonly audiences?: readonly string[];
};

export interface TokenVerifier {
  /** `none` for what is no token of this kind, or none that is known. */
  verify(token: string, audiences: readonly string[], signal: AbortSignal): TokenVerdict | Promise<TokenVerdict>;
}

const spaceWarning = 'the provided Authorization header contains extra space before the bearer token, and is ignored';

export const unknownToken: TokenVerdict = { kind: 'none' };

export class BearerTokens implements AuthenticationMethod, TokenVerifier {
  readonly name = 'bearer token';
  readonly #verifiers: readonly TokenVerifier[];
  readonly #audiences: readonly string[];

  /** @param audiences the API's own. */
  constructor(verifiers: readonly TokenVerifier[], audiences: readonly string[]) {
    this.#verifiers = verifiers;
    this.#audiences = audiences;
  }

  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const header = exchange.request.headers.authorization;
    if (header === undefined || !/^bearer /i.test(header)) return unknownToken;
    // What follows the token is ignored.
    const [token = '', ...more] = header.slice(7).split(' ');
    if (token !== '') return this.checkToken(token, exchange);
    if (more.length > 0) exchange.warn(spaceWarning);
    return unknownToken;
  }

  /** Tokens without audiences hold for the API's own. */
  async verify(token: string, audiences: readonly string[], signal: AbortSignal): Promise<TokenVerdict> {
    const refusals: string[] = [];
    for (const verifier of this.#verifiers) {
      const verdict = await verifier.verify(token, audiences, signal);
      if (verdict.kind === 'refused') refusals.push(verdict.why);
      if (verdict.kind !== 'user') continue;
      const shared = verdict.audiences ?? this.#audiences.filter((one) => audiences.includes(one));
      if (shared.length > 0) return { ...verdict, audiences: shared };
    }
    if (refusals.length === 0) return unknownToken;
    return { kind: 'refused', why: refusals.length === 1 ? (refusals[0] ?? '') : `[${refusals.join(', ')}]` };
  }

  /** Whom a token of a request stands for. */
  async checkToken(token: string, exchange: Exchange): Promise<Verdict> {
    const verdict = await this.verify(token, this.#audiences, exchange.signal);
    if (verdict.kind === 'none') return { kind: 'refused', why: 'invalid bearer token' };
    if (verdict.kind === 'user' && verdict.warning !== undefined) exchange.warn(verdict.warning);
    if (verdict.kind === 'user' && verdict.auditNotes !== undefined) exchange.auditNotes = verdict.auditNotes;
    return verdict;
  }
}
