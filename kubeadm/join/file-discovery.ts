// Discovery by a kubeconfig: a file, or an HTTPS URL with a publicly trusted certificate. The order of steps
// is upstream's (cmd/kubeadm/app/discovery/file, discovery/https).
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname, resolve } from 'node:path';
import { getCACertificates } from 'node:tls';
import { configMap } from '#api/core/config-map.ts';
import { hasReason } from '#api/meta/status.ts';
import { isAbort, UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import type { ApiEndpoint, Credentials } from '#client/endpoint.ts';
import { endpointOf, parseKubeconfig } from '#client/kubeconfig.ts';
import { connect } from '#client/rest.ts';
import type { Surroundings } from '../surroundings.ts';
import type { FoundCluster } from './discovery.ts';

const retryMs = 5_000;
const largestBytes = 1 << 20;

/** Throws a UsageError that says why the cluster cannot be trusted or reached. `place` is a path or an `https` URL. */
export async function discoverByFile(place: string, host: Surroundings, limitMs: number): Promise<FoundCluster> {
  const text = isUrl(place) ? await fetchPage(place, host.signal) : await readText(place);
  const endpoint = endpointIn(text, place);
  const published = await publishedAuthority(endpoint, host, limitMs);
  const { server, ca = published, credentials } = endpoint;
  if (ca === undefined || ca === '')
    throw new UsageError(`${place} names no certificate authority, and neither does the cluster`, { exitCode: 1 });
  return { server, ca, credentials: await embedded(credentials) };
}

/** What is wrong with a place for a kubeconfig; undefined for a good one. */
export function problemOfPlace(place: string, exists: (path: string) => boolean): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(place)?.[1]?.toLowerCase();
  if (scheme === undefined) return exists(place) ? undefined : 'not a valid HTTPS URL or a file on disk';
  if (scheme !== 'https') return 'if a URL is used, the scheme must be https';
  return URL.canParse(place) ? undefined : 'not a valid HTTPS URL or a file on disk';
}

/** Cluster-info names its cluster '' and has no user; other kubeconfigs say what is current. */
function endpointIn(text: string, place: string): ApiEndpoint {
  const config = parseKubeconfig(text, { name: place, folder: isUrl(place) ? '/' : dirname(resolve(place)) });
  if (config.clusters.length === 0) throw new UsageError('the provided kubeconfig file must have at least one Cluster defined');
  if (config.currentContext !== '' || !config.clusters.some(({ name }) => name === '')) return endpointOf(config);
  return endpointOf({ ...config, contexts: [{ name: 'nobody', context: { cluster: '' } }] }, 'nobody');
}

/** Asks for cluster-info, which proves that the server has a certificate of who is trusted; answers the authority that it names. */
async function publishedAuthority(endpoint: ApiEndpoint, host: Surroundings, limitMs: number): Promise<string | undefined> {
  const { clock, signal, warn } = host;
  await using client = connect(endpoint, { clock, component: 'kubeadm' });
  const startMs = clock.monotonicMs();
  for (;;) {
    try {
      const { data } = await client.get(configMap, { namespace: 'kube-public', name: 'cluster-info' }, signal);
      const found = endpointIn(data?.['kubeconfig'] ?? '', 'the cluster-info ConfigMap');
      if (found.server !== endpoint.server) {
        warn(
          `[discovery] the API Server endpoint "${endpoint.server}" in use is different from the endpoint "${found.server}" which defined in the cluster-info ConfigMap\n`,
        );
      }
      return found.ca;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      if (hasReason(error, 'Forbidden')) {
        warn(
          '[discovery] Could not access the cluster-info ConfigMap for refreshing the cluster-info information, but the TLS cert is valid so proceeding...\n',
        );
        return undefined;
      }
      // The server is trusted, but publishes no usable cluster information.
      if (error instanceof UsageError) return undefined;
      if (clock.monotonicMs() - startMs > limitMs)
        throw new UsageError(`Abort reading the cluster-info ConfigMap after timeout: ${reasonOf(error)}`, { exitCode: 1, cause: error });
    }
    await clock.sleep(retryMs, signal);
  }
}

/** The kubelet is given them in a file of its own. */
async function embedded(credentials: Credentials): Promise<Credentials> {
  if (credentials.kind === 'token-file') return { kind: 'token', token: (await readText(credentials.tokenFile)).trim() };
  if (credentials.kind !== 'certificate-files') return credentials;
  return { kind: 'certificate', cert: await readText(credentials.certFile), key: await readText(credentials.keyFile) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`couldn't load ${path}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}

/** By the authorities that this host trusts. */
async function fetchPage(url: string, signal: AbortSignal): Promise<string> {
  const ca = [...getCACertificates('default'), ...getCACertificates('system')];
  try {
    return await new Promise<string>((resolvePage, reject) => {
      const sent = request(url, { ca, agent: false, timeout: 30_000, signal }, (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on('error', reject).on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > largestBytes) answer.destroy(new Error('it is longer than a kubeconfig'));
        });
        answer.on('end', () => {
          if (answer.statusCode === 200) resolvePage(Buffer.concat(chunks).toString('utf8'));
          else reject(new Error(`it answered ${answer.statusCode}`));
        });
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer within 30 s'))).on('error', reject);
      sent.end();
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new UsageError(`couldn't load ${url}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}

function isUrl(place: string): boolean {
  return /^https:/i.test(place);
}
