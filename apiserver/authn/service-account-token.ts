import { createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import { type TokenVerdict, type TokenVerifier, unknownToken } from './bearer-tokens.ts';
import { type ClaimedObject, type KubernetesClaims, readClaims, userOf } from './token-claims.ts';
import type { VerificationKey } from './token-keys.ts';

interface ServiceAccountTokensDeps {
  readonly registry: Registry;
  readonly keys: readonly VerificationKey[];
  readonly issuers: readonly string[];
  /** Counts uses of pods' tokens: `stale` ones only live because their time has been prolonged. */
  readonly onPodToken?: ((state: 'valid' | 'stale') => void) | undefined;
  readonly clock: Clock;
}

/** A token whose signature and issuer hold. */
interface Verified {
  readonly claims: KubernetesClaims;
  readonly jti: string | undefined;
  readonly audiences: readonly string[];
  readonly times: Pick<JWTPayload, 'exp' | 'nbf' | 'iat'>;
}

const maxKept = 10_000;
/** How far the clocks of servers may be apart, and how long after its deletion time an object still counts: upstream allows for both. */
const leewayMs = 60_000;
const invalidated = 'service account token has been invalidated';

/** Users by service-account token. Signatures are checked once and remembered by hash; what a token is bound to is looked at anew. */
export class ServiceAccountTokens implements TokenVerifier {
  readonly #deps: ServiceAccountTokensDeps;
  readonly #verified = new Map<string, Verified>();

  constructor(deps: ServiceAccountTokensDeps) {
    this.#deps = deps;
  }

  /** Whom a token stands for, and for which of `audiences`. */
  async verify(token: string, audiences: readonly string[], signal: AbortSignal): Promise<TokenVerdict> {
    const hash = createHash('sha256').update(token).digest('base64');
    let verified = this.#verified.get(hash);
    if (verified === undefined) {
      const fresh = await this.#verifySignature(token);
      if (fresh === undefined) return unknownToken;
      if (typeof fresh === 'string') return { kind: 'refused', why: fresh };
      if (this.#verified.size >= maxKept) this.#verified.clear();
      this.#verified.set(hash, fresh);
      verified = fresh;
    }
    const shared = verified.audiences.filter((one) => audiences.includes(one));
    if (shared.length === 0) return { kind: 'refused', why: otherAudience(verified.audiences, audiences) };
    const wrongTime = timeProblem(verified.times, this.#deps.clock.nowMs());
    if (wrongTime !== undefined) return { kind: 'refused', why: wrongTime };
    const gone = await this.#goneBinding(verified.claims, signal);
    if (gone !== undefined) return { kind: 'refused', why: gone };
    const user = userOf(verified.claims, verified.jti);
    const staleSeconds = this.#staleSeconds(verified.claims);
    if (staleSeconds === undefined) return { kind: 'user', user, audiences: shared };
    const note = `subject: ${user.name}, seconds after warning threshold: ${staleSeconds}`;
    return { kind: 'user', user, audiences: shared, auditNotes: { 'authentication.k8s.io/stale-token': note } };
  }

  /** For how long a pod's token should have been replaced; undefined where it should not, or is none. */
  #staleSeconds({ warnafter }: KubernetesClaims): number | undefined {
    if (warnafter === undefined || warnafter === 0) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    const isStale = nowMs > warnafter * 1_000;
    this.#deps.onPodToken?.(isStale ? 'stale' : 'valid');
    return isStale ? Math.floor(nowMs / 1_000) - warnafter : undefined;
  }

  /** What the token says, why it is not believed, or undefined where it is none of our issuers'. */
  async #verifySignature(token: string): Promise<Verified | string | undefined> {
    const { keys, issuers } = this.#deps;
    const iss = issuerOf(token);
    if (iss === undefined || !issuers.includes(iss)) return undefined;
    try {
      const { kid } = decodeProtectedHeader(token);
      const candidates = kid === undefined ? keys : keys.filter((one) => one.kid === kid);
      if (candidates.length === 0) return 'invalid signature, no keys found';
      for (const { key, algorithm } of candidates) {
        const payload = await payloadOf(token, key, algorithm);
        if (payload === undefined) continue;
        const claims = readClaims(payload['kubernetes.io']);
        if (claims === undefined || payload.exp === undefined) return 'not a token of a service account';
        return { claims, jti: payload.jti, audiences: [payload.aud ?? []].flat(), times: payload };
      }
      return 'go-jose/go-jose: error in cryptographic primitive';
    } catch (error) {
      return String(error);
    }
  }

  /** Says what of the token's objects is gone; undefined where all live. */
  async #goneBinding(claims: KubernetesClaims, signal: AbortSignal): Promise<string | undefined> {
    const { namespace, serviceaccount, pod, secret, node } = claims;
    const nowMs = this.#deps.clock.nowMs();
    const account = await this.#find('serviceaccounts', namespace, serviceaccount.name, signal);
    if (account === undefined) return `serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`;
    const { uid = '' } = account.metadata;
    if (uid !== serviceaccount.uid) return `service account UID (${uid}) does not match claim (${serviceaccount.uid})`;
    if (isLongDeleted(account, nowMs)) return `service account ${namespace}/${serviceaccount.name} has been deleted`;
    const bindings: (readonly [string, string, string, ClaimedObject | undefined])[] = [
      ['secret', 'secrets', namespace, secret],
      ['pod', 'pods', namespace, pod],
      // A pod's token also names its node, but only a token without pod is bound to it.
      ['node', 'nodes', '', pod === undefined ? node : undefined],
    ];
    for (const [what, plural, where, bound] of bindings) {
      if (bound === undefined) continue;
      const object = await this.#find(plural, where, bound.name, signal);
      if (object === undefined) return invalidated;
      const { uid = '' } = object.metadata;
      if (uid !== bound.uid) return `${what} UID (${uid}) does not match service account ${what} ref claim (${bound.uid})`;
      if (isLongDeleted(object, nowMs)) return invalidated;
    }
    return undefined;
  }

  async #find(plural: string, namespace: string, name: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { registry } = this.#deps;
    const kind: KindDefinition | undefined = registry.find('', 'v1', plural);
    if (kind === undefined) return undefined;
    try {
      return (await registry.get(kind, name, '', internalContext({ namespace }, signal))).object();
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** Who says to have issued the token; undefined for what is no token of this sort. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** What a token says, if the key has signed it; whether it is good now is not asked. */
async function payloadOf(token: string, key: VerificationKey['key'], algorithm: string): Promise<JWTPayload | undefined> {
  const verified = await compactVerify(token, key, { algorithms: [algorithm] }).catch(() => undefined);
  return verified && (JSON.parse(Buffer.from(verified.payload).toString()) as JWTPayload);
}

function timeProblem({ nbf, exp, iat }: Verified['times'], nowMs: number): string | undefined {
  if (nbf !== undefined && nowMs + leewayMs < nbf * 1_000) return 'service account token is not valid yet';
  if (exp !== undefined && nowMs - leewayMs > exp * 1_000) return 'service account token has expired';
  if (iat !== undefined && nowMs + leewayMs < iat * 1_000) {
    return 'service account token claims could not be validated due to unexpected validation error';
  }
  return undefined;
}

function isLongDeleted({ metadata: { deletionTimestamp } }: KubeObject, nowMs: number): boolean {
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + leewayMs < nowMs;
}

function otherAudience(actual: readonly string[], wanted: readonly string[]): string {
  const quoted = (list: readonly string[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`;
  return `token audiences ${quoted(actual)} is invalid for the target audiences ${quoted(wanted)}`;
}
