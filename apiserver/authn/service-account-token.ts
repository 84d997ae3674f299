import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import { type TokenVerdict, type TokenVerifier, unknownToken } from './bearer-tokens.ts';
import { type ClaimedObject, type KubernetesClaims, readClaims, userOf } from './token-claims.ts';
import type { VerificationKey } from './token-keys.ts';

export interface ServiceAccountTokensDeps {
  readonly registry: Registry;
  readonly keys: readonly VerificationKey[];
  readonly issuers: readonly string[];
  readonly clock: Clock;
}

/** A token whose signature, issuer, audience and times hold. */
interface Verified {
  readonly claims: KubernetesClaims;
  readonly jti: string | undefined;
  readonly audiences: readonly string[];
  readonly expirySeconds: number;
}

const maxKept = 10_000;
/** How long after its deletion time an object still counts, as upstream allows for late clean-up. */
const deletionLeewayMs = 60_000;

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
    if (verified.expirySeconds * 1_000 <= this.#deps.clock.nowMs()) return { kind: 'refused', why: 'service account token has expired' };
    const shared = verified.audiences.filter((one) => audiences.includes(one));
    if (shared.length === 0) return { kind: 'refused', why: otherAudience(verified.audiences, audiences) };
    const gone = await this.#goneBinding(verified.claims, signal);
    if (gone !== undefined) return { kind: 'refused', why: gone };
    return { kind: 'user', user: userOf(verified.claims, verified.jti), audiences: shared };
  }

  /** What the token says, why it is not believed, or undefined where it is none of our issuers'. */
  async #verifySignature(token: string): Promise<Verified | string | undefined> {
    const { keys, issuers, clock } = this.#deps;
    const iss = issuerOf(token);
    if (iss === undefined || !issuers.includes(iss)) return undefined;
    try {
      const { kid } = decodeProtectedHeader(token);
      const candidates = kid === undefined ? keys : keys.filter((one) => one.kid === kid);
      for (const { key, algorithm } of candidates) {
        const options = { algorithms: [algorithm], issuer: iss, currentDate: new Date(clock.nowMs()) };
        const result = await jwtVerify(token, key, options).catch((error: unknown) => String(error));
        if (typeof result === 'string') {
          if (candidates.length === 1) return result;
          continue;
        }
        const { payload } = result;
        const claims = readClaims(payload['kubernetes.io']);
        if (claims === undefined || payload.exp === undefined) return 'not a token of a service account';
        return { claims, jti: payload.jti, audiences: [payload.aud ?? []].flat(), expirySeconds: payload.exp };
      }
      return 'no key fits the signature';
    } catch (error) {
      return String(error);
    }
  }

  /** Says what of the token's objects is gone; undefined where all live. */
  async #goneBinding(claims: KubernetesClaims, signal: AbortSignal): Promise<string | undefined> {
    const { namespace, serviceaccount, pod, secret, node } = claims;
    const bindings: (readonly [string, string, ClaimedObject | undefined])[] = [
      ['serviceaccounts', namespace, serviceaccount],
      ['pods', namespace, pod],
      ['secrets', namespace, secret],
      // A pod's token also tells its node, but only a token without pod is bound to it.
      ['nodes', '', pod === undefined ? node : undefined],
    ];
    for (const [plural, where, bound] of bindings) {
      if (bound === undefined) continue;
      const object = await this.#find(plural, where, bound.name, signal);
      if (object === undefined || object.metadata.uid !== bound.uid) return `${plural}/${bound.name} is gone`;
      const { deletionTimestamp } = object.metadata;
      if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + deletionLeewayMs < this.#deps.clock.nowMs()) {
        return `${plural}/${bound.name} has been deleted`;
      }
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

function otherAudience(actual: readonly string[], wanted: readonly string[]): string {
  const quoted = (list: readonly string[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`;
  return `token audiences ${quoted(actual)} is invalid for the target audiences ${quoted(wanted)}`;
}
