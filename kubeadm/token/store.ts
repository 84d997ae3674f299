// Bootstrap tokens in the cluster.
import { secret, type Secret } from '#api/core/secret.ts';
import { hasReason } from '#api/meta/status.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Client } from '#client/client.ts';
import { patiently, put } from '../cluster/put.ts';
import type { Surroundings } from '../surroundings.ts';
import {
  type BootstrapToken,
  parseToken,
  tokenFromSecret,
  tokenIdPattern,
  tokenPattern,
  tokenSecretData,
  tokenSecretName,
  tokenSecretType,
} from './bootstrap-token.ts';

const namespace = 'kube-system';

/** Makes the token, or brings the one with this ID up to date. Answers its Secret. */
export async function storeToken(client: Client, token: BootstrapToken, host: Surroundings): Promise<Secret> {
  const data = Object.fromEntries(Object.entries(tokenSecretData(token)).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
  const name = tokenSecretName(token.id);
  await put(client, secret, { metadata: { name, namespace }, type: tokenSecretType, data }, host);
  return await patiently(host, () => client.get(secret, { namespace, name }, host.signal));
}

/** All tokens; `broken` lists Secrets that cannot be parsed. */
export async function listTokens(
  client: Client,
  broken: (reason: string) => void,
  signal: AbortSignal,
): Promise<readonly BootstrapToken[]> {
  const { items } = await client.list(secret, { namespace, fieldSelector: `type=${tokenSecretType}` }, signal);
  return items.flatMap(({ metadata, data = {} }) => {
    const texts = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
    try {
      return [tokenFromSecret(metadata.name ?? '', texts)];
    } catch (error) {
      broken(error instanceof Error ? error.message : String(error));
      return [];
    }
  });
}

/** Takes a token, or its ID alone. Throws a UsageError for what is neither. */
export async function deleteToken(client: Client, text: string, signal: AbortSignal): Promise<string> {
  const id = idOf(text);
  try {
    await client.delete(secret, { namespace, name: tokenSecretName(id) }, {}, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    throw new UsageError(`failed to delete bootstrap token ${JSON.stringify(id)}: ${error.message}`, { exitCode: 1, cause: error });
  }
  return id;
}

function idOf(text: string): string {
  if (/^[a-z0-9]{6}$/.test(text)) return text;
  try {
    return parseToken(text).id;
  } catch (error) {
    throw new UsageError(
      `given token ${JSON.stringify(text)} didn't match pattern ${JSON.stringify(tokenIdPattern)} or ${JSON.stringify(tokenPattern)}`,
      { cause: error },
    );
  }
}
