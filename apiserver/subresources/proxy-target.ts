// Where a proxied request goes: what a path's name says, and which address of a pod, a Service or a node that means.
import { BlockList, isIP } from 'node:net';
import type { V1Endpoints, V1Node, V1Pod, V1Service } from '#api/generated/types.ts';
import { ApiError, badRequest } from '#api/meta/status.ts';

/** `[scheme:]name[:port]`, as it stands in a path. */
export interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  /** A number, for Services also a port's name; '' where the path leaves it open. */
  readonly port: string;
}

export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** '' is the scheme's own. */
  readonly port: string;
}

const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const) {
  special.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  special.addSubnet(net, bits, 'ipv6');
}

/** Reads the name in a path. Throws BadRequest. */
export function parseProxyName(text: string, what: 'pod' | 'service' | 'node'): ProxyName {
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme)) {
    throw badRequest(`invalid ${what} request ${JSON.stringify(text)}`);
  }
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

/** A pod's own address; without a port, that of its first container that has one. Throws BadRequest. */
export function podTarget({ scheme, port }: ProxyName, { spec, status }: Pick<V1Pod, 'spec' | 'status'>): ProxyTarget {
  const declared = spec?.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  const host = status?.podIPs?.[0]?.ip ?? status?.podIP ?? '';
  return { scheme, host: allowed(host), port: port === '' && declared !== undefined ? String(declared) : port };
}

/** One of a Service's ready addresses, picked by `pick` out of as many as it is told. Throws ServiceUnavailable. */
export function serviceTarget(
  { scheme, name, port }: ProxyName,
  { spec }: Pick<V1Service, 'spec'>,
  endpoints: V1Endpoints | undefined,
  pick: (count: number) => number,
): ProxyTarget {
  let portName = port;
  if (/^\d+$/.test(port)) {
    const declared = spec?.ports?.find((one) => one.port === Number(port));
    if (declared === undefined) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
    portName = declared.name ?? '';
  }
  const ready = (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter((one) => (one.name ?? '') === portName)
      .flatMap((one) => addresses.map(({ ip }) => ({ scheme, host: ip, port: String(one.port) }))),
  );
  const chosen = ready[pick(ready.length)];
  if (chosen === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return { ...chosen, host: allowed(chosen.host) };
}

/** A node's address at another port than its kubelet's. Throws BadRequest. */
export function nodeTarget({ scheme, port }: ProxyName, { status }: Pick<V1Node, 'status'>): ProxyTarget {
  return { scheme, host: allowed(status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''), port };
}

/** Only addresses that are somebody's: never this machine's own, a link's or a group's. */
function allowed(host: string): string {
  const family = isIP(host);
  if (family === 0 || special.check(host, family === 4 ? 'ipv4' : 'ipv6')) throw badRequest('address not allowed');
  return host;
}

function unavailable(message: string): ApiError {
  return new ApiError({ reason: 'ServiceUnavailable', message });
}
