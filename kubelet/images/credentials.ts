// Which credentials fit an image, out of a pod's pull secrets. Pure.
import type { RegistryCredentials } from '../runtime/image-contract.ts';
import type { ImageReference } from './reference.ts';

/** The part of a Secret that matters here. */
export interface PullSecret {
  readonly metadata?: { readonly uid?: string; readonly namespace?: string; readonly name?: string };
  readonly type?: string;
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** Credentials, and the secret that they stand in. */
export interface OfferedCredentials {
  readonly credentials: RegistryCredentials;
  readonly secret: PullSecret;
}

/**
 * All credentials whose registry (and beginning of a path, where the key has one) fits, the most particular first. Unreadable secrets are
 * skipped. (pkg/credentialprovider/keyring.go)
 */
export function credentialsFor(image: ImageReference, secrets: readonly PullSecret[]): readonly OfferedCredentials[] {
  const found: (OfferedCredentials & { readonly key: string })[] = [];
  for (const secret of secrets) {
    for (const [key, entry] of Object.entries(authsOf(secret))) {
      if (!fits(key, image)) continue;
      const credentials = readEntry(key, entry);
      if (credentials !== undefined) found.push({ key: plainKey(key), credentials, secret });
    }
  }
  return found.sort((left, right) => (left.key < right.key ? 1 : left.key > right.key ? -1 : 0));
}

function authsOf(secret: PullSecret): Record<string, AuthEntry> {
  const json = secret.type === 'kubernetes.io/dockerconfigjson' ? secret.data?.['.dockerconfigjson'] : undefined;
  const legacy = secret.type === 'kubernetes.io/dockercfg' ? secret.data?.['.dockercfg'] : undefined;
  const encoded = json ?? legacy;
  if (encoded === undefined) return {};
  try {
    const value = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as Record<string, unknown>;
    return ((json === undefined ? value : value.auths) ?? {}) as Record<string, AuthEntry>;
  } catch {
    // As if it were not there: the registry says what is wrong then.
    return {};
  }
}

function readEntry(key: string, entry: AuthEntry): RegistryCredentials | undefined {
  const decoded = entry.auth === undefined ? '' : Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const username = entry.username ?? (colon < 0 ? undefined : decoded.slice(0, colon));
  const password = entry.password ?? (colon < 0 ? undefined : decoded.slice(colon + 1).replace(/\0+$/, ''));
  const { identitytoken } = entry;
  if (username === undefined && identitytoken === undefined) return undefined;
  return {
    serverAddress: plainKey(key),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(identitytoken === undefined ? {} : { identityToken: identitytoken }),
  };
}

/** Without scheme, API version and a lonely slash: `https://index.docker.io/v1/` is `index.docker.io`. */
function plainKey(key: string): string {
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]*)(.*)$/.exec(key) ?? [];
  const own = path.replace(/^\/v[12]\//, '/');
  return own === '/' ? host : `${host}${own}`;
}

/** Parts of the host's name may hold `*`; the port must be the same, and a path in the key a beginning of the image's. */
function fits(key: string, image: ImageReference): boolean {
  const plain = plainKey(key);
  const slash = plain.indexOf('/');
  const [host, path] = slash < 0 ? [plain, ''] : [plain.slice(0, slash), plain.slice(slash)];
  const wanted = image.registry === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [image.registry];
  return wanted.some((name) => hostFits(host, name)) && `/${image.path}`.startsWith(path);
}

function hostFits(pattern: string, host: string): boolean {
  const [[patternName, patternPort], [hostName, hostPort]] = [splitPort(pattern), splitPort(host)];
  if (patternPort !== hostPort) return false;
  const [patternParts, hostParts] = [patternName.split('.'), hostName.split('.')];
  if (patternParts.length !== hostParts.length) return false;
  return patternParts.every((part, at) => {
    const escaped = part.replace(/[\\^$+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${escaped}$`).test(hostParts[at] ?? '');
  });
}

function splitPort(host: string): readonly [name: string, port: string] {
  const colon = /:\d*$/.exec(host);
  return colon === null ? [host, ''] : [host.slice(0, colon.index), colon[0]];
}
