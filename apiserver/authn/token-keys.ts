import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { UsageError } from '#base/lifecycle.ts';
import type { KubernetesClaims } from './token-claims.ts';
import { serviceAccountUser } from './token-claims.ts';

/** A public key that tokens may be signed with. */
export interface VerificationKey {
  /** What the token's header says: the hash of the key, as upstream computes it. */
  readonly kid: string;
  readonly key: KeyObject;
  readonly algorithm: string;
}

/** What goes into a new token. */
interface TokenRequest {
  /** The token's own (`jti`). */
  readonly id: string;
  readonly audiences: readonly string[];
  readonly claims: KubernetesClaims;
  readonly nowSeconds: number;
  readonly expirationSeconds: number;
}

/** Signs service-account tokens. */
export class TokenSigner {
  readonly #issuer: string;
  readonly #key: KeyObject;
  readonly #kid: string;
  readonly #algorithm: string;

  /** @param pem a private key, RSA or EC. */
  constructor(issuer: string, pem: string) {
    this.#issuer = issuer;
    this.#key = createPrivateKey(pem);
    const [verification] = readVerificationKeys([pem]);
    if (verification === undefined) throw new UsageError('the service-account signing key holds no key', { exitCode: 1 });
    this.#kid = verification.kid;
    this.#algorithm = verification.algorithm;
  }

  sign(request: TokenRequest): Promise<string> {
    const { id, audiences, claims, nowSeconds, expirationSeconds } = request;
    return new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: this.#algorithm, kid: this.#kid })
      .setAudience([...audiences])
      .setExpirationTime(nowSeconds + expirationSeconds)
      .setIssuedAt(nowSeconds)
      .setIssuer(this.#issuer)
      .setJti(id)
      .setNotBefore(nowSeconds)
      .setSubject(serviceAccountUser(claims.namespace, claims.serviceaccount.name))
      .sign(this.#key);
  }
}

/** The keys in PEM texts, which may each hold several, private ones included. Throws UsageError for what is none. */
export function readVerificationKeys(pems: readonly string[]): VerificationKey[] {
  const blocks = pems.flatMap((pem) => pem.match(/-----BEGIN [^-]+-----[\s\S]+?-----END [^-]+-----/g) ?? []);
  return blocks.map((block) => {
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch (error) {
      throw new UsageError('a service-account key file holds something that is no key', { exitCode: 1, cause: error });
    }
    const der = key.export({ type: 'spki', format: 'der' });
    return { kid: createHash('sha256').update(der).digest('base64url'), key, algorithm: algorithmOf(key) };
  });
}

function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const algorithm = curve === undefined ? undefined : { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }[curve];
  if (algorithm === undefined) throw new UsageError('service-account keys must be RSA, or EC on P-256, P-384 or P-521', { exitCode: 1 });
  return algorithm;
}
