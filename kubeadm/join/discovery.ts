// Whom to trust: `kube-public/cluster-info`, fetched first without trust, checked by the token's signature and the pinned key of the
// authority, then fetched again with trust. The order of steps is upstream's (cmd/kubeadm/app/discovery/token).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse } from 'yaml';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { isAbort, UsageError } from '#base/lifecycle.ts';
import { certificatesIn } from '#base/pem.ts';
import type { Credentials } from '#client/endpoint.ts';
import { connect } from '#client/rest.ts';
import type { Surroundings } from '../surroundings.ts';
import { parseToken } from '../token/bootstrap-token.ts';
import { publicKeyHash } from './join-command.ts';

interface Discovery {
  /** `HOST:PORT` */
  readonly endpoint: string;
  readonly token: string;
  /** `sha256:HEX`, any of which will do; empty only where the user asked for it. */
  readonly caHashes: readonly string[];
}

export interface FoundCluster {
  /** `https://HOST:PORT` of the whole cluster. */
  readonly server: string;
  readonly ca: string;
  /** Those of the kubeconfig that led there; a token that leads there is none. */
  readonly credentials: Credentials;
}

const retryMs = 2_000;

/** Throws a UsageError that says why the cluster cannot be trusted or reached. */
export async function discover(wanted: Discovery, host: Surroundings, limitMs: number): Promise<FoundCluster> {
  const { id, secret } = parseToken(wanted.token);
  checkPins(wanted.caHashes);
  const untrusted = await fetchSigned({ endpoint: wanted.endpoint, id, ca: undefined, limitMs }, host);
  const text = untrusted.data?.['kubeconfig'] ?? '';
  if (text === '') {
    throw refusal(
      "there is no kubeconfig key in the cluster-info ConfigMap. This API Server isn't set up for token bootstrapping, can't connect",
    );
  }
  if (!isSignatureOf(untrusted.data?.[`jws-kubeconfig-${id}`] ?? '', text, { id, secret })) {
    throw refusal("failed to verify JWS signature of received cluster info object, can't trust this API Server");
  }
  const found = clusterIn(text);
  if (wanted.caHashes.length === 0) return found;
  const hashes = certificatesIn(found.ca).map(publicKeyHash);
  const pinned = wanted.caHashes.map((hash) => hash.toLowerCase());
  if (!hashes.some((hash) => pinned.includes(hash))) {
    throw refusal(
      `cluster CA found in cluster-info ConfigMap is invalid: none of the public keys ${hashes.map((hash) => JSON.stringify(hash)).join(':')} are pinned`,
    );
  }
  const trusted = await fetchSigned({ endpoint: wanted.endpoint, id, ca: found.ca, limitMs }, host);
  if (trusted.data?.['kubeconfig'] !== text) {
    throw refusal('the second kubeconfig from the cluster-info ConfigMap (using validated TLS) was different from the first');
  }
  return found;
}

/** True for a detached JWS (HS256) of `text` by this token. */
export function isSignatureOf(jws: string, text: string, token: { readonly id: string; readonly secret: string }): boolean {
  const [header = '', payload, signature = ''] = jws.split('.');
  if (payload !== '' || signature === '') return false;
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { alg?: unknown; kid?: unknown };
    if (alg !== 'HS256' || kid !== token.id) return false;
  } catch {
    return false;
  }
  const wanted = createHmac('sha256', token.secret)
    .update(`${header}.${Buffer.from(text).toString('base64url')}`)
    .digest();
  const given = Buffer.from(signature, 'base64url');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

interface Fetch {
  readonly endpoint: string;
  /** Of the token. */
  readonly id: string;
  /** Undefined before trust is established. */
  readonly ca: string | undefined;
  readonly limitMs: number;
}

async function fetchSigned({ endpoint, id, ca, limitMs }: Fetch, host: Surroundings): Promise<ConfigMap> {
  const { clock, signal } = host;
  const trust = ca === undefined ? { insecure: true } : { ca };
  await using client = connect({ server: `https://${endpoint}`, ...trust, credentials: { kind: 'none' } }, { clock, component: 'kubeadm' });
  const startMs = clock.monotonicMs();
  for (;;) {
    let reason: string;
    try {
      const found = await client.get(configMap, { namespace: 'kube-public', name: 'cluster-info' }, signal);
      if (found.data?.[`jws-kubeconfig-${id}`] !== undefined) return found;
      reason = `could not find a JWS signature in the cluster-info ConfigMap for token ID ${JSON.stringify(id)}`;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      reason = `failed to request the cluster-info ConfigMap: ${String(error)}`;
    }
    if (clock.monotonicMs() - startMs > limitMs) throw refusal(reason);
    await clock.sleep(retryMs, signal);
  }
}

function clusterIn(text: string): FoundCluster {
  const { clusters } = (parse(text) ?? {}) as { clusters?: readonly { readonly cluster?: Readonly<Record<string, unknown>> }[] };
  const { server, 'certificate-authority-data': data } = clusters?.[0]?.cluster ?? {};
  if (typeof server === 'string' && typeof data === 'string')
    return { server, ca: Buffer.from(data, 'base64').toString('utf8'), credentials: { kind: 'none' } };
  throw refusal('malformed kubeconfig in the cluster-info ConfigMap');
}

function checkPins(hashes: readonly string[]): void {
  const bad = hashes.find((hash) => !/^sha256:[0-9a-f]{64}$/i.test(hash));
  if (bad !== undefined)
    throw new UsageError(
      `invalid discovery token CA certificate hash: invalid hash, expected "format:hex-value", got ${JSON.stringify(bad)}`,
    );
}

function refusal(reason: string): UsageError {
  return new UsageError(`couldn't validate the identity of the API Server: ${reason}`, { exitCode: 1 });
}
