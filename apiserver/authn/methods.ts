import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Registry } from '../registry/contract.ts';
import { createAuthenticator } from './authenticator.ts';
import { BearerTokens } from './bearer-tokens.ts';
import { bootstrapTokens } from './bootstrap-token.ts';
import { ClientCertificates } from './client-certificate.ts';
import type { Authenticator } from './contract.ts';
import type { AuthenticationSettings } from './flags.ts';
import { frontProxy } from './front-proxy.ts';
import { ServiceAccountTokens } from './service-account-token.ts';
import { staticTokens } from './static-tokens.ts';
import type { VerificationKey } from './token-keys.ts';
import { webSocketTokens } from './websocket-token.ts';

/** The CAs that authenticate clients. */
export type Authorities = Pick<AuthenticationSettings, 'clientCa' | 'frontProxy'>;

interface AuthenticationDeps {
  readonly settings: AuthenticationSettings;
  /** Those that count now: they may be renewed. */
  readonly authorities: () => Authorities;
  /** Of service-account tokens. */
  readonly keys: readonly VerificationKey[];
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  readonly registry: Registry;
  readonly onPodToken?: ((state: 'valid' | 'stale') => void) | undefined;
  readonly onCertificate?: ((leftSeconds: number) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

interface Authentication {
  readonly authenticator: Authenticator;
  readonly tokens: BearerTokens;
}

/** All ways to prove who one is that the settings want, in upstream's order. */
export function authenticationOf({
  settings,
  authorities,
  keys,
  issuers,
  audiences,
  registry,
  onPodToken,
  onCertificate,
  clock,
  log,
}: AuthenticationDeps): Authentication {
  const tokens = new BearerTokens(
    [
      ...(settings.staticTokens.size === 0 ? [] : [staticTokens(settings.staticTokens)]),
      new ServiceAccountTokens({ registry, keys, issuers, onPodToken, clock }),
      ...(settings.acceptsBootstrapTokens ? [bootstrapTokens({ registry: () => registry, clock })] : []),
    ],
    audiences,
  );
  const certificates = new ClientCertificates({
    nowMs: () => clock.nowMs(),
    frontProxyCa: () => authorities().frontProxy?.ca,
    onUse: onCertificate,
  });
  const proxies = settings.frontProxy === undefined ? [] : [frontProxy(settings.frontProxy, certificates)];
  const methods = [...proxies, certificates, tokens, webSocketTokens(tokens)];
  return {
    authenticator: createAuthenticator({ methods, acceptsAnonymous: settings.acceptsAnonymous, log }),
    tokens,
  };
}

/** PEM text of all authorities whose certificates TLS should check; undefined for none. */
export function trustedCa({ clientCa, frontProxy: proxy }: Authorities): string | undefined {
  const trusted = [clientCa, proxy?.ca].filter((ca) => ca !== undefined);
  return trusted.length === 0 ? undefined : trusted.join('\n');
}
