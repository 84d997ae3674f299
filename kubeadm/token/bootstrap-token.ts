// Bootstrap tokens: `ID.SECRET`, kept as Secrets of their own type in kube-system.
import { randomInt } from 'node:crypto';
import { bootstrapTokenPrefix, bootstrapTokenType } from '#api/core/bootstrap-token.ts';
import { UsageError } from '#base/lifecycle.ts';

export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly description: string;
  /** When it ends, in ms since 1970; undefined for never. */
  readonly expiresMs: number | undefined;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
}

export const tokenPattern = '\\A([a-z0-9]{6})\\.([a-z0-9]{16})\\z';
export const tokenIdPattern = '\\A([a-z0-9]{6})\\z';
export const tokenSecretType = bootstrapTokenType;
export const defaultTokenGroups = ['system:bootstrappers:kubeadm:default-node-token'];
export const tokenUsages = ['signing', 'authentication'];
export const defaultTokenTtlMs = 24 * 3_600_000;

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A new random token. */
export function generateToken(): string {
  const random = (length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${random(6)}.${random(16)}`;
}

/** Takes a token apart. Throws a UsageError in upstream's words. */
export function parseToken(text: string): { readonly id: string; readonly secret: string } {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? [];
  if (id !== undefined && secret !== undefined) return { id, secret };
  throw new UsageError(`the bootstrap token ${JSON.stringify(text)} was not of the form ${JSON.stringify(tokenPattern)}`);
}

export function tokenText({ id, secret }: Pick<BootstrapToken, 'id' | 'secret'>): string {
  return `${id}.${secret}`;
}

export function tokenSecretName(id: string): string {
  return bootstrapTokenPrefix + id;
}

/** The Secret's data, as text. */
export function tokenSecretData(token: BootstrapToken): Readonly<Record<string, string>> {
  return {
    'token-id': token.id,
    'token-secret': token.secret,
    ...(token.description === '' ? {} : { description: token.description }),
    ...(token.expiresMs === undefined ? {} : { expiration: secondsText(token.expiresMs) }),
    ...Object.fromEntries(token.usages.map((usage) => [`usage-bootstrap-${usage}`, 'true'])),
    ...(token.groups.length === 0 ? {} : { 'auth-extra-groups': token.groups.join(',') }),
  };
}

/** What a token's Secret says. Throws an Error that says what is wrong with it. */
export function tokenFromSecret(name: string, data: Readonly<Record<string, string>>): BootstrapToken {
  const { 'token-id': id = '', 'token-secret': secret = '', description = '', expiration } = data;
  if (id === '') throw new Error(`bootstrap Token Secret has no token-id data: ${name}`);
  if (name !== tokenSecretName(id)) throw new Error(`bootstrap token name is not of the form 'bootstrap-token-(token-id)': ${name}`);
  if (secret === '') throw new Error(`bootstrap Token Secret has no token-secret data: ${name}`);
  parseToken(`${id}.${secret}`);
  const expiresMs = expiration === undefined || expiration === '' ? undefined : Date.parse(expiration);
  if (Number.isNaN(expiresMs)) throw new Error(`can't parse expiration time of bootstrap token ${JSON.stringify(name)}: ${expiration}`);
  const usages = Object.keys(data)
    .filter((key) => key.startsWith('usage-bootstrap-') && data[key] === 'true')
    .map((key) => key.slice('usage-bootstrap-'.length))
    .sort();
  const groups = (data['auth-extra-groups'] ?? '').split(',').filter((group) => group !== '');
  return { id, secret, description, expiresMs, usages, groups };
}

/** RFC 3339 in UTC, to the second. */
export function secondsText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
