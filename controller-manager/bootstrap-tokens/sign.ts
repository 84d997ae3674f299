import { createHmac } from 'node:crypto';
import { isTokenExpired, readBootstrapToken } from '#api/core/bootstrap-token.ts';
import type { V1Secret } from '#api/generated/types.ts';

const signaturePrefix = 'jws-kubeconfig-';
const kubeconfigKey = 'kubeconfig';

type Data = Readonly<Record<string, string>>;

/**
 * The data of `cluster-info` with one signature of its kubeconfig for every token that may sign, and none of others
 * (pkg/controller/bootstrap/bootstrapsigner.go). Undefined where nothing changes, or there is nothing to sign.
 */
export function planSignatures(data: Data, secrets: readonly V1Secret[], nowMs: number): Data | undefined {
  const text = data[kubeconfigKey];
  if (text === undefined) return undefined;
  const next: Record<string, string> = {};
  for (const [key, value] of Object.entries(data)) if (!key.startsWith(signaturePrefix)) next[key] = value;
  for (const secret of secrets) {
    const token = readBootstrapToken(secret);
    if (token === undefined || token.secret === '' || !token.maySign || isTokenExpired(token, nowMs)) continue;
    next[signaturePrefix + token.id] = detachedSignature(text, token);
  }
  const isSame = Object.keys(next).length === Object.keys(data).length && Object.entries(next).every(([key, value]) => data[key] === value);
  return isSame ? undefined : next;
}

/** A JWS by HMAC whose payload is left out: whoever knows the token verifies it against the text. */
export function detachedSignature(text: string, { id, secret }: { readonly id: string; readonly secret: string }): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const payload = Buffer.from(text).toString('base64url');
  const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
  return `${header}..${signature}`;
}
