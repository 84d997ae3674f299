// `proxy` of pods, Services and nodes: any request, handed on to what runs there, and its answer handed back. Redirects are the
// client's affair; who asks stays between the client and this server.
import { randomInt } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { V1Endpoints, V1Node, V1Pod, V1Service } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, hasReason, notFound } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import { readContext } from '../http/options.ts';
import type { HeaderList } from '../http/respond.ts';
import type { Registry } from '../registry/contract.ts';
import type { SubresourceHandler } from './contract.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { nodeTarget, parseProxyName, podTarget, type ProxyTarget, serviceTarget } from './proxy-target.ts';
import { tunnel } from './tunnel.ts';

/** Opens the request on the other side. */
type Dial = (method: string, path: string, headers: Record<string, string>, signal: AbortSignal) => ClientRequest | Promise<ClientRequest>;

/** Finds out whom to dial. */
type Locate = (exchange: Exchange, registry: Registry, kind: KindDefinition) => Promise<Dial>;

/** Headers between neighbours, and those that say who asks. */
const notHandedOn =
  /^(:.*|connection|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade|http2-settings|host|authorization|impersonate-.*)$/;

const dialProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** `pods/[scheme:]NAME[:port]/proxy`. */
export const podProxy: SubresourceHandler = proxied(async (exchange, registry, kind) => {
  const name = parseProxyName(exchange.info.pathName, 'pod');
  return dialTarget(podTarget(name, await read<V1Pod>(exchange, registry, kind, name.name)));
});

/** `services/[scheme:]NAME[:port]/proxy`. */
export const serviceProxy: SubresourceHandler = proxied(async (exchange, registry, kind) => {
  const name = parseProxyName(exchange.info.pathName, 'service');
  const service = await read<V1Service>(exchange, registry, kind, name.name);
  const endpointsKind = registry.find('', 'v1', 'endpoints');
  if (endpointsKind === undefined) throw notFound({ group: '', plural: 'endpoints' }, name.name);
  const endpoints = await read<V1Endpoints>(exchange, registry, endpointsKind, name.name).catch((error: unknown) => {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  });
  return dialTarget(serviceTarget(name, service, endpoints, (count) => (count === 0 ? 0 : randomInt(count))));
});

/** `nodes/[scheme:]NAME[:port]/proxy`: the kubelet, where no other port is asked for. */
export function nodeProxy(kubelets: KubeletConnection): SubresourceHandler {
  return proxied(async (exchange, registry, kind) => {
    const name = parseProxyName(exchange.info.pathName, 'node');
    const node = await read<V1Node>(exchange, registry, kind, name.name);
    const kubeletPort = String(node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10_250);
    if (name.port !== '' && name.port !== kubeletPort) return dialTarget(nodeTarget(name, node));
    return (method, path, headers, signal) => kubelets.open(name.name, method, path, headers, signal);
  });
}

function proxied(locate: Locate): SubresourceHandler {
  return {
    verbs: ['*'],
    takesPath: true,
    serve: async (exchange, kind, { registry }) => {
      const dial = await locate(exchange, registry, kind);
      if (redirectsToRoot(exchange)) return;
      const path = targetPath(exchange);
      if (exchange.upgrade !== undefined) {
        return tunnel(exchange, exchange.upgrade, async (method, headers) => dial(method, path, headers, exchange.signal));
      }
      await handOn(exchange, await dial(exchange.request.method ?? 'GET', path, headersOnward(exchange), exchange.signal));
    },
  };
}

async function read<T>(exchange: Exchange, registry: Registry, kind: KindDefinition, name: string): Promise<T> {
  const found: KubeObject = (await registry.get(kind, name, '', { ...readContext(exchange), subresource: '' })).object();
  return found as T;
}

function dialTarget({ scheme, host, port }: ProxyTarget): Dial {
  return (method, path, headers, signal) => {
    const where = host.includes(':') ? `[${host}]` : host;
    const options = { host, method, path, headers: { ...headers, Host: port === '' ? where : `${where}:${port}` }, agent: false, signal };
    const withPort = port === '' ? options : { ...options, port: Number(port) };
    // Nobody here knows who signs for a workload, and upstream does not ask either.
    return scheme === 'https' ? requestHttps({ ...withPort, rejectUnauthorized: false }) : requestHttp(withPort);
  };
}

/** A page's relative links need the slash behind `proxy`. */
function redirectsToRoot({ info, query, request, auditId, response }: Exchange): boolean {
  const { method } = request;
  if (info.rest !== '' || info.path.endsWith('/') || (method !== 'GET' && method !== 'HEAD')) return false;
  const location = `${encodeURI(info.path)}/${query.raw === '' ? '' : `?${query.raw}`}`;
  response.writeHead(301, ['Audit-Id', auditId, 'Location', location, 'Content-Length', '0']);
  response.end();
  return true;
}

function targetPath({ info, query }: Exchange): string {
  const path = info.rest === '' ? '/' : info.rest.split('/').map(encodeURIComponent).join('/');
  return query.raw === '' ? path : `${path}?${query.raw}`;
}

function headersOnward({ request }: Exchange): Record<string, string> {
  const onward: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !notHandedOn.test(name)) onward[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return onward;
}

async function handOn(exchange: Exchange, outgoing: ClientRequest): Promise<void> {
  const { request, response } = exchange;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(notReached(error)));
  });
  // A target may answer before it has read everything.
  pipeline(request, outgoing).catch((error: unknown) => void outgoing.destroy(error as Error));
  const answer = await answered;
  response.writeHead(answer.statusCode ?? 502, headersBack(exchange, answer));
  await pipeline(answer, response as unknown as NodeJS.WritableStream).catch(() => void response.destroy());
}

function headersBack({ auditId }: Exchange, { rawHeaders }: IncomingMessage): HeaderList {
  const headers: HeaderList = ['Audit-Id', auditId];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!notHandedOn.test(name.toLowerCase()) && name.toLowerCase() !== 'audit-id') headers.push(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}

/** What went wrong on the way, as Go's client words it. */
function notReached(error: NodeJS.ErrnoException & { address?: string; port?: number }): ApiError {
  const { address = '', port, code = '' } = error;
  const why = dialProblems[code];
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const text = code === 'ECONNRESET' ? 'EOF' : why === undefined || address === '' ? error.message : `dial tcp ${where}: ${why}`;
  return new ApiError({ reason: 'ServiceUnavailable', message: `error trying to reach service: ${text}`, cause: error });
}
