import { request, type RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { V1Node } from '#api/generated/types.ts';
import { ApiError, internalError, notFound } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import { plainError } from '../registry/failures.ts';
import { dialErrorText } from './dial-error.ts';

interface KubeletConnectionOptions {
  /** The client certificate that kubelets know the API server by. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Who signs kubelets' certificates; undefined takes any, as upstream does. */
  readonly ca: string | undefined;
  /** Which of a node's addresses to use, best first. */
  readonly addressTypes: readonly string[];
}

/** Where a kubelet listens. */
interface KubeletPlace {
  readonly host: string;
  readonly port: number;
}

/** A request to a kubelet. */
interface KubeletRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  /** Whether any certificate of the kubelet will do. */
  readonly trustsAll?: boolean;
}

const defaultPort = 10_250;

/** Reaches the kubelets of the nodes. */
export class KubeletConnection {
  readonly #options: () => KubeletConnectionOptions;
  readonly #registry: () => Registry;

  /** `options` is asked for each connection: certificates may be renewed. */
  constructor(options: () => KubeletConnectionOptions, registry: () => Registry) {
    this.#options = options;
    this.#registry = registry;
  }

  /** Starts a request to the kubelet of a node. The caller writes the body and ends it. */
  async open(node: string, wanted: KubeletRequest, signal: AbortSignal): Promise<ClientRequest> {
    const { host, port } = await this.locate(node, signal);
    return this.openAt({ host, port, address: host }, { ...wanted, headers: { ...wanted.headers, Host: `${host}:${port}` } }, signal);
  }

  /** The same where the kubelet has been located; `address` is what is dialled. */
  openAt(
    { host, port, address }: KubeletPlace & { readonly address: string },
    { trustsAll = false, ...wanted }: KubeletRequest,
    signal: AbortSignal,
  ): ClientRequest {
    const { cert, key, ca } = this.#options();
    const options: RequestOptions = {
      ...wanted,
      host: address,
      port,
      // Said in so many words: Node would check the certificate against the Host header, which may be the client's.
      servername: isIP(host) === 0 ? host : '',
      // A connection of its own: it may become a tunnel, and kubelets are near.
      agent: false,
      signal,
      rejectUnauthorized: ca !== undefined && !trustsAll,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(ca === undefined ? {} : { ca }),
    };
    return request(options);
  }

  /** Sends a request without body and gives the answer's head. Throws a plain error in Go's words where the kubelet cannot be reached. */
  async fetch(node: string, wanted: Pick<KubeletRequest, 'path' | 'trustsAll'>, signal: AbortSignal): Promise<IncomingMessage> {
    const { path } = wanted;
    const outgoing = await this.open(node, { ...wanted, method: 'GET', headers: {} }, signal);
    return new Promise((resolve, reject) => {
      outgoing.on('response', resolve);
      const { protocol, host } = outgoing;
      const url = JSON.stringify(`${protocol}//${String(outgoing.getHeader('host') ?? host)}${path}`);
      outgoing.on('error', (error) => reject(plainError(`Get ${url}: ${dialErrorText(error)}`, error)));
      outgoing.end();
    });
  }

  /** Where a node's kubelet listens: an address or a name. Throws NotFound or InternalError. */
  async locate(name: string, signal: AbortSignal): Promise<KubeletPlace> {
    const registry = this.#registry();
    const kind = registry.find('', 'v1', 'nodes');
    if (kind === undefined) throw notFound({ group: '', plural: 'nodes' }, name);
    const node = (await registry.get(kind, name, '', internalContext({}, signal))).object() as V1Node;
    const addresses = node.status?.addresses ?? [];
    const { addressTypes } = this.#options();
    for (const type of addressTypes) {
      const address = addresses.find((one) => one.type === type)?.address;
      if (address !== undefined) return { host: address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultPort };
    }
    const types = addressTypes.join(', ');
    throw internalError(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}, wanted types: ${types}`);
  }
}

/** The answer where no connection to a kubelet comes about. */
export function unreachable(error: Error): ApiError {
  return error instanceof ApiError ? error : plainError(`error dialing backend: ${dialErrorText(error)}`, error);
}
