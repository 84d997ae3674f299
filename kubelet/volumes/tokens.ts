import type { Pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import type { AuthenticationV1TokenRequest, V1ServiceAccountTokenProjection } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';

interface TokensDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

interface Issued {
  readonly token: string;
  readonly expiresMs: number;
  /** From then on a new one is asked for. */
  readonly renewMs: number;
}

const maxLifetimeMs = 24 * 3_600_000;
const lifetimeShare = 0.8;
const defaultExpirationSeconds = 3_600;

/**
 * Service-account tokens of the pods of this node: asked for once, renewed at 80 % of their life or after a day, whichever comes
 * first. While a renewal fails, a token that has not expired yet is good enough.
 */
export class Tokens {
  readonly #deps: TokensDeps;
  readonly #issued = new Map<string, Map<string, Issued>>();

  constructor(deps: TokensDeps) {
    this.#deps = deps;
  }

  async fetch(pod: Pod, projection: V1ServiceAccountTokenProjection, signal: AbortSignal): Promise<string> {
    const { client, clock, log } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    const { audience = '', expirationSeconds = defaultExpirationSeconds } = projection;
    const key = `${audience}/${expirationSeconds}`;
    const known = this.#issued.get(uid)?.get(key);
    const nowMs = clock.nowMs();
    if (known !== undefined && nowMs < known.renewMs) return known.token;
    try {
      const account = { namespace: pod.metadata.namespace, name: pod.spec.serviceAccountName ?? 'default' };
      const body = tokenRequest(pod, audience, expirationSeconds);
      const answer = (await client.createSub(serviceAccount, account, 'token', body, signal)) as unknown as AuthenticationV1TokenRequest;
      const { token = '', expirationTimestamp = '' } = answer.status ?? {};
      const expiresMs = Date.parse(expirationTimestamp);
      const renewMs = nowMs + Math.min((expiresMs - nowMs) * lifetimeShare, maxLifetimeMs);
      if (!this.#issued.has(uid)) this.#issued.set(uid, new Map());
      this.#issued.get(uid)?.set(key, { token, expiresMs, renewMs });
      return token;
    } catch (error) {
      if (signal.aborted || known === undefined || nowMs >= known.expiresMs) throw error;
      log.warn({ err: error, uid }, 'could not renew a service account token, keeping the present one');
      return known.token;
    }
  }

  /** True when some token of the pod is due. */
  isDue(podUid: string): boolean {
    const nowMs = this.#deps.clock.nowMs();
    return [...(this.#issued.get(podUid)?.values() ?? [])].some(({ renewMs }) => nowMs >= renewMs);
  }

  release(podUid: string): void {
    this.#issued.delete(podUid);
  }
}

function tokenRequest(pod: Pod, audience: string, expirationSeconds: number): object {
  const { name, uid } = pod.metadata;
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: audience === '' ? [] : [audience], expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
  };
}
