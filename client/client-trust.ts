// Whose certificates are believed on a component's own port: authorities from files, or those that the cluster publishes for it.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { configMap } from '#api/core/config-map.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { certificatesIn } from '#base/pem.ts';
import type { Client } from './client.ts';
import { certificateVisitor, everyUser, type Visitor } from './delegated-access.ts';

interface ProxyNames {
  /** None believes all that the authority signed. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
}

export interface TrustFiles {
  /** '' takes what the cluster publishes. */
  readonly clientCaFile: string;
  readonly frontProxyCaFile: string;
  /** Of the proxies whose authority comes from a file. */
  readonly names: ProxyNames;
  readonly looksUp: boolean;
}

interface Trust {
  readonly clients: readonly X509Certificate[];
  readonly proxies: readonly X509Certificate[];
  readonly names: ProxyNames;
}

/** How long what was read is taken for true: authorities change once in years, and then overlap. */
const keptMs = 60_000;
const requestLimitMs = 10_000;
const published = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

export class ClientTrust {
  readonly #files: TrustFiles;
  readonly #client: Client | undefined;
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  #known: Trust;
  #readMs: number | undefined;

  /** `client` reads what the cluster publishes. */
  constructor(files: TrustFiles, client: Client | undefined, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#files = files;
    this.#client = client;
    this.#deps = deps;
    this.#known = { clients: [], proxies: [], names: files.names };
  }

  /** What was known before where nothing can be found out now. */
  async current(signal: AbortSignal): Promise<Trust> {
    const { clock, log } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.#readMs !== undefined && nowMs - this.#readMs < keptMs) return this.#known;
    try {
      this.#known = await this.#read(signal);
      this.#readMs = nowMs;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.warn({ err: error }, "the authorities of clients' certificates cannot be read");
    }
    return this.#known;
  }

  async #read(signal: AbortSignal): Promise<Trust> {
    const { clientCaFile, frontProxyCaFile, names, looksUp } = this.#files;
    const isComplete = clientCaFile !== '' && frontProxyCaFile !== '';
    const data = isComplete || !looksUp || this.#client === undefined ? {} : await this.#lookUp(this.#client, signal);
    const text = async (path: string, key: string): Promise<string> => (path === '' ? (data[key] ?? '') : await readFile(path, 'utf8'));
    const list = (key: string): readonly string[] => JSON.parse(data[key] ?? '[]') as string[];
    return {
      clients: authoritiesIn(await text(clientCaFile, 'client-ca-file')),
      proxies: authoritiesIn(await text(frontProxyCaFile, 'requestheader-client-ca-file')),
      names:
        frontProxyCaFile !== ''
          ? names
          : {
              allowedNames: list('requestheader-allowed-names'),
              usernameHeaders: list('requestheader-username-headers'),
              uidHeaders: list('requestheader-uid-headers'),
              groupHeaders: list('requestheader-group-headers'),
            },
    };
  }

  async #lookUp(client: Client, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    using within = this.#deps.clock.deadline(signal, requestLimitMs);
    return (await client.get(configMap, published, within.signal)).data ?? {};
  }
}

function authoritiesIn(bundle: string): readonly X509Certificate[] {
  return certificatesIn(bundle).map((pem) => new X509Certificate(pem));
}

const clientUsage = '1.3.6.1.5.5.7.3.2';

/** Whom the connection's certificate proves, or whom a front proxy that proves itself by it names. Undefined for others. */
export function visitorByCertificate(
  { headers }: Pick<IncomingMessage, 'headers'>,
  socket: TLSSocket,
  { clients, proxies, names }: Trust,
  nowMs: number,
): Visitor | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined || Date.parse(shown.validFrom) > nowMs || Date.parse(shown.validTo) < nowMs) return undefined;
  if (shown.keyUsage?.includes(clientUsage) !== true) return undefined;
  const isOf = (authorities: readonly X509Certificate[]): boolean =>
    authorities.some((ca) => shown.checkIssued(ca) && shown.verify(ca.publicKey));
  const visitor = certificateVisitor(socket);
  if (visitor === undefined) return undefined;
  if (isOf(proxies) && (names.allowedNames.length === 0 || names.allowedNames.includes(visitor.name))) {
    const valuesOf = (list: readonly string[]): readonly string[] => list.flatMap((name) => headers[name.toLowerCase()] ?? []);
    const [name] = valuesOf(names.usernameHeaders);
    const [uid] = valuesOf(names.uidHeaders);
    const groups = valuesOf(names.groupHeaders).flatMap((value) => value.split(', '));
    if (name !== undefined) return { name, ...(uid === undefined ? {} : { uid }), groups: [...new Set([...groups, everyUser])] };
  }
  return isOf(clients) ? visitor : undefined;
}
