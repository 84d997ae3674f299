// Who may use a component's own port is the API server's to say: a TokenReview authenticates a bearer token, a SubjectAccessReview
// what that one may do. Answers are kept for a while, so that a scraper or a log reader does not double the API server's work; askers of
// the same question at the same time share one request.
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { tokenReview } from '#api/authentication/token-review.ts';
import { subjectAccessReview } from '#api/authorization/subject-access-review.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from './client.ts';
import { LruMap } from './lru-map.ts';

/** An authenticated user. */
export interface Visitor {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a visitor wants: something of an object, or a path. */
export type AccessRequest =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly subresource: string;
      readonly name: string;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

/** Authentication and authorization by the API server's reviews. Both reject where a review fails. */
export interface Access {
  /** Undefined for an invalid token. */
  visitorOf(token: string, signal: AbortSignal): Promise<Visitor | undefined>;
  isAllowed(visitor: Visitor, access: AccessRequest, signal: AbortSignal): Promise<boolean>;
}

export interface AccessTtls {
  readonly tokenMs: number;
  readonly allowedMs: number;
  readonly deniedMs: number;
}

export const everyUser = 'system:authenticated';
export const anonymous: Visitor = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

const limit = 4_096;
const requestLimitMs = 10_000;

interface DelegatedAccessDeps {
  /** For TokenReviews. */
  readonly authentication: Client;
  /** For SubjectAccessReviews. */
  readonly authorization: Client;
  readonly clock: Clock;
}

export class DelegatedAccess implements Access {
  readonly #deps: DelegatedAccessDeps;
  readonly #ttls: AccessTtls;
  readonly #tokens = new LruMap<Kept<Visitor | undefined>>(limit);
  readonly #verdicts = new LruMap<Kept<boolean>>(limit);

  constructor(deps: DelegatedAccessDeps, ttls: AccessTtls) {
    this.#deps = deps;
    this.#ttls = ttls;
  }

  visitorOf(token: string, signal: AbortSignal): Promise<Visitor | undefined> {
    // What is kept must not be worth stealing.
    const key = createHash('sha256').update(token).digest('base64');
    return this.#once(
      this.#tokens,
      key,
      () => this.#review(token, signal),
      () => this.#ttls.tokenMs,
    );
  }

  isAllowed(visitor: Visitor, access: AccessRequest, signal: AbortSignal): Promise<boolean> {
    const ttl = (allowed: boolean): number => (allowed ? this.#ttls.allowedMs : this.#ttls.deniedMs);
    return this.#once(this.#verdicts, JSON.stringify([visitor, access]), () => this.#ask(visitor, access, signal), ttl);
  }

  async #once<V>(kept: LruMap<Kept<V>>, key: string, fetch: () => Promise<V>, ttlOf: (value: V) => number): Promise<V> {
    const { clock } = this.#deps;
    const known = kept.get(key);
    if (known !== undefined && known.endMs > clock.monotonicMs()) return await known.value;
    const entry: Kept<V> = { value: fetch(), endMs: Number.POSITIVE_INFINITY };
    kept.set(key, entry);
    try {
      const value = await entry.value;
      entry.endMs = clock.monotonicMs() + ttlOf(value);
      return value;
    } catch (error) {
      // Failures are not cached: only the present callers get it.
      if (kept.get(key) === entry) kept.delete(key);
      throw error;
    }
  }

  async #review(token: string, signal: AbortSignal): Promise<Visitor | undefined> {
    const { authentication, clock } = this.#deps;
    using within = clock.deadline(signal, requestLimitMs);
    const { status } = await authentication.create(tokenReview, { metadata: {}, spec: { token } }, {}, within.signal);
    const { authenticated, user } = status ?? {};
    if (authenticated !== true || user === undefined) return undefined;
    const { username = '', uid = '', groups = [], extra } = user;
    return { name: username, groups, ...(uid === '' ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
  }

  async #ask({ name, uid, groups, extra }: Visitor, access: AccessRequest, signal: AbortSignal): Promise<boolean> {
    const { authorization, clock } = this.#deps;
    using within = clock.deadline(signal, requestLimitMs);
    const { kind, ...attributes } = access;
    const spec = {
      user: name,
      groups: [...groups],
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
      ...(kind === 'path' ? { nonResourceAttributes: attributes } : { resourceAttributes: attributes }),
    };
    const { status } = await authorization.create(subjectAccessReview, { metadata: {}, spec }, {}, within.signal);
    return status?.allowed === true && status.denied !== true;
  }
}

interface Kept<V> {
  readonly value: Promise<V>;
  /** By the monotonic clock. */
  endMs: number;
}

/** The token of `Authorization: Bearer …`; undefined without one. */
export function bearerToken(header: string | undefined): string | undefined {
  const [, token] = /^bearer +(\S+) *$/i.exec(header ?? '') ?? [];
  return token;
}

/** Whom the client's certificate names: its common name, and its organizations as groups. Whether it is to be believed is not asked here. */
export function certificateVisitor(socket: TLSSocket): Visitor | undefined {
  const subject = (socket.getPeerCertificate() as ReturnType<TLSSocket['getPeerCertificate']> | undefined)?.subject as
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | undefined;
  const name = [subject?.['CN'] ?? []].flat().at(-1);
  return name === undefined ? undefined : { name, groups: [...[subject?.['O'] ?? []].flat(), everyUser] };
}
