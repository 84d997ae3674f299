// Bootstrap tokens as Secrets of kube-system: what they hold, who reads it and when they count (k8s.io/cluster-bootstrap). The server
// authenticates with them, controllers sign with them and clean them up.
import type { V1Secret } from '#api/generated/types.ts';

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token';
export const bootstrapTokenPrefix = 'bootstrap-token-';

interface StoredBootstrapToken {
  readonly id: string;
  readonly secret: string;
  /** When it ends, in ms since 1970: undefined: never; 0: unparsable. */
  readonly expiresMs: number | undefined;
  readonly mayAuthenticate: boolean;
  readonly maySign: boolean;
  /** Groups besides that of all bootstrappers. */
  readonly groups: readonly string[];
}

/** Reads such a Secret; undefined for every other. */
export function readBootstrapToken({ metadata, type, data = {} }: V1Secret): StoredBootstrapToken | undefined {
  if (type !== bootstrapTokenType) return undefined;
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const id = text('token-id');
  if (!/^[a-z0-9]{6}$/.test(id) || metadata?.name !== bootstrapTokenPrefix + id) return undefined;
  const expiration = text('expiration');
  const parsedMs = Date.parse(expiration);
  return {
    id,
    secret: text('token-secret'),
    expiresMs: expiration === '' ? undefined : Number.isNaN(parsedMs) ? 0 : parsedMs,
    mayAuthenticate: text('usage-bootstrap-authentication') === 'true',
    maySign: text('usage-bootstrap-signing') === 'true',
    groups: text('auth-extra-groups')
      .split(',')
      .filter((group) => group !== ''),
  };
}

export function isTokenExpired({ expiresMs }: StoredBootstrapToken, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs;
}
