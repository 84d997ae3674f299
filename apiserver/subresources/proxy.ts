// `proxy` of pods, Services and nodes: any request, handed on to what runs there, and its answer handed back. Redirects are the
// client's affair; who asks stays between the client and this server.
import { lookup } from 'node:dns/promises';
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { V1Endpoints, V1Pod, V1Service } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { badRequest, hasReason, notFound } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import { readContext } from '../http/options.ts';
import type { Registry } from '../registry/contract.ts';
import { admitConnect } from './connect.ts';
import type { SubresourceHandler } from './contract.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { type Destination, dialTarget, forward, headersOnward, redirectsToRoot, targetPath } from './proxy-request.ts';
import {
  checkAddress,
  hasAddress,
  isPortNumber,
  type MayReach,
  parseProxyName,
  podTarget,
  serviceEndpoints,
  servicePortName,
  unavailable,
} from './proxy-target.ts';
import { tunnel } from './tunnel.ts';

export interface ProxyDeps {
  readonly kubelets: KubeletConnection;
  readonly mayReach: MayReach;
}

/** Finds out whom to dial. */
type Locate = (exchange: Exchange, registry: Registry, kind: KindDefinition) => Promise<Destination>;

/** `pods/[scheme:]NAME[:port]/proxy`. */
export function podProxy({ mayReach }: ProxyDeps): SubresourceHandler {
  return proxied(async (exchange, registry, kind) => {
    const name = parseProxyName(exchange.info.pathName, 'pod');
    const target = podTarget(name, await read<V1Pod>(exchange, registry, kind, name.name));
    checkAddress(target.host, mayReach);
    return dialTarget(target);
  });
}

/** `services/[scheme:]NAME[:port]/proxy`: one of the pods that are ready to serve. */
export function serviceProxy({ mayReach }: ProxyDeps): SubresourceHandler {
  return proxied(async (exchange, registry, kind) => {
    const { namespace, pathName } = exchange.info;
    const name = parseProxyName(pathName, 'service');
    const service = isPortNumber(name.port) ? await read<V1Service>(exchange, registry, kind, name.name) : undefined;
    const portName = servicePortName(name, service);
    const endpoints = await read<V1Endpoints>(exchange, registry, kindOf(registry, 'endpoints'), name.name);
    if ((endpoints.subsets ?? []).length === 0) {
      throw unavailable(`no endpoints available for service ${JSON.stringify(name.name)}`);
    }
    for (const { host, port, pod } of serviceEndpoints(endpoints, { namespace, portName }, (count) => randomInt(count))) {
      if (!(await isAddressOf(exchange, registry, pod, host))) continue;
      checkAddress(host, mayReach);
      return dialTarget({ scheme: name.scheme, host, port });
    }
    throw unavailable(`no endpoints available for service ${JSON.stringify(pathName)}`);
  });
}

/** `nodes/[scheme:]NAME[:port]/proxy`: the kubelet, where no other port is asked for. */
export function nodeProxy({ kubelets, mayReach }: ProxyDeps): SubresourceHandler {
  return proxied(async (exchange) => {
    const name = parseProxyName(exchange.info.pathName, 'node');
    const { host, port } = await kubelets.locate(name.name, exchange.signal);
    const address = await resolve(host, mayReach);
    if (name.port !== '' && name.port !== String(port)) return dialTarget({ scheme: name.scheme, host: address, port: name.port });
    return {
      host: `${host}:${port}`,
      dial: (method, path, headers, signal) => kubelets.openAt({ host, port, address }, { method, path, headers }, signal),
    };
  });
}

function proxied(locate: Locate): SubresourceHandler {
  return {
    verbs: ['*'],
    takesPath: true,
    serve: async (exchange, kind, { registry }) => {
      await admitConnect(exchange, kind, registry);
      const destination = await locate(exchange, registry, kind);
      const { upgrade, signal } = exchange;
      const path = targetPath(exchange);
      const headers = headersOnward(exchange);
      if (upgrade !== undefined) {
        return tunnel(exchange, { upgrade, headers, open: async (method, all) => destination.dial(method, path, all, signal) });
      }
      if (redirectsToRoot(exchange)) return;
      const outgoing = await destination.dial(exchange.request.method ?? 'GET', path, headers, signal);
      await forward(exchange, outgoing, destination.host);
    },
  };
}

async function isAddressOf(exchange: Exchange, registry: Registry, pod: string, address: string): Promise<boolean> {
  try {
    return hasAddress(await read<V1Pod>(exchange, registry, kindOf(registry, 'pods'), pod), address);
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}

/** The address behind a node's name or address. Whoever is dialled was checked: names are not looked up a second time. */
async function resolve(host: string, mayReach: MayReach): Promise<string> {
  const addresses = isIP(host) === 0 ? await lookUp(host) : [host];
  for (const address of addresses) checkAddress(address, mayReach);
  const [first] = addresses;
  if (first === undefined) throw badRequest('No addresses for hostname');
  return first;
}

async function lookUp(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw Object.assign(badRequest(`lookup ${host}: no such host`), { cause: error });
  }
}

function kindOf(registry: Registry, plural: string): KindDefinition {
  const kind = registry.find('', 'v1', plural);
  if (kind === undefined) throw notFound({ group: '', plural }, '');
  return kind;
}

async function read<T>(exchange: Exchange, registry: Registry, kind: KindDefinition, name: string): Promise<T> {
  return (await registry.get(kind, name, '', { ...readContext(exchange), subresource: '' })).object() as T;
}
