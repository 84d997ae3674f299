import { timingSafeEqual } from 'node:crypto';
import { bootstrapTokenPrefix, isTokenExpired, readBootstrapToken } from '#api/core/bootstrap-token.ts';
import type { V1Secret } from '#api/generated/types.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import { withAuthenticatedGroup } from './authenticator.ts';
import { type TokenVerdict, type TokenVerifier, unknownToken } from './bearer-tokens.ts';

const namespace = 'kube-system';
const bootstrappers = 'system:bootstrappers';
const validGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

interface BootstrapTokensDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
}

/** Users by the tokens with which nodes join: Secrets of kube-system (plugin/pkg/auth/authenticator/token/bootstrap). */
export function bootstrapTokens({ registry, clock }: BootstrapTokensDeps): TokenVerifier {
  return {
    verify: async (text, _audiences, signal): Promise<TokenVerdict> => {
      const [, id = '', secret = ''] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? [];
      if (id === '') return unknownToken;
      const found = await findSecret(registry(), id, signal);
      const token = found === undefined || found.metadata?.deletionTimestamp !== undefined ? undefined : readBootstrapToken(found);
      if (token === undefined || !sameSecret(token.secret, secret)) return unknownToken;
      if (!token.mayAuthenticate || isTokenExpired(token, clock.nowMs())) return unknownToken;
      if (!token.groups.every((group) => validGroup.test(group))) return unknownToken;
      const groups = [...new Set([bootstrappers, ...token.groups])].toSorted();
      return { kind: 'user', user: withAuthenticatedGroup({ name: `system:bootstrap:${id}`, groups }) };
    },
  };
}

async function findSecret(registry: Registry, id: string, signal: AbortSignal): Promise<V1Secret | undefined> {
  const kind = registry.find('', 'v1', 'secrets');
  if (kind === undefined) return undefined;
  const name = bootstrapTokenPrefix + id;
  try {
    const encoded = registry.peek(kind, namespace, name) ?? (await registry.get(kind, name, '', internalContext({ namespace }, signal)));
    return encoded.object() as V1Secret;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

function sameSecret(known: string, shown: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(shown)];
  return a.length === b.length && timingSafeEqual(a, b);
}
