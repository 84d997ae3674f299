// Where a proxied request goes: what a path's name says, and which address of a pod, a Service or a node that means.
import { BlockList, isIP } from 'node:net';
import type { V1Endpoints, V1Pod, V1Service } from '#api/generated/types.ts';
import { ApiError, badRequest } from '#api/meta/status.ts';

/** `[scheme:]name[:port]`, as it stands in a path. */
interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  /** A number, for Services also a port's name; '' where the path leaves it open. */
  readonly port: string;
}

export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  /** An address. */
  readonly host: string;
  /** '' is the scheme's own. */
  readonly port: string;
}

/** An address of a Service, and the pod that must have it. */
interface ServiceEndpoint {
  readonly host: string;
  readonly port: string;
  readonly pod: string;
}

/** Says whether an address may be dialled for a client. */
export type MayReach = (address: string) => boolean;

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

/** Only global unicast addresses: never loopback, link-local or multicast. */
export function isGlobalUnicast(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !special.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Refuses what `mayReach` does. Throws BadRequest. */
export function checkAddress(address: string, mayReach: MayReach): void {
  if (isIP(address) === 0 || !mayReach(address)) throw badRequest('address not allowed');
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

/** A pod's own address; without a port, that of its first container that has one. */
export function podTarget({ scheme, port }: ProxyName, { spec, status }: Pick<V1Pod, 'spec' | 'status'>): ProxyTarget {
  const declared = spec?.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  const host = status?.podIPs?.[0]?.ip ?? status?.podIP ?? '';
  return { scheme, host, port: port === '' && declared !== undefined ? String(declared) : port };
}

/** The port's name behind a number in a path; names are themselves. Throws ServiceUnavailable. */
export function servicePortName({ name, port }: ProxyName, service: Pick<V1Service, 'spec'> | undefined): string {
  if (!isPortNumber(port)) return port;
  const declared = service?.spec?.ports?.find((one) => one.port === Number(port));
  if (declared === undefined) throw unavailable(`no service port ${Number(port)} found for service ${JSON.stringify(name)}`);
  return declared.name ?? '';
}

/** Whether a path names a Service's port by its number. */
export function isPortNumber(port: string): boolean {
  return /^[+-]?\d+$/.test(port);
}

/**
 * The ready addresses behind a port of a Service, in the order to try them: from one that `pick` chooses out of as many as it is
 * told, around. Only those of pods of the same namespace count: whoever writes endpoints by hand gets no door to other hosts.
 */
export function serviceEndpoints(
  endpoints: V1Endpoints,
  { namespace, portName }: { readonly namespace: string; readonly portName: string },
  pick: (count: number) => number,
): readonly ServiceEndpoint[] {
  const ready = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter((one) => (one.name ?? '') === portName)
      .flatMap(({ port }) =>
        addresses
          .filter(({ targetRef }) => targetRef !== undefined && targetRef.namespace === namespace)
          .map(({ ip, targetRef }) => ({ host: ip, port: String(port), pod: targetRef?.name ?? '' })),
      ),
  );
  const first = ready.length === 0 ? 0 : pick(ready.length);
  return [...ready.slice(first), ...ready.slice(0, first)];
}

/** Whether a pod really has an address that endpoints claim for it. */
export function hasAddress({ status }: Pick<V1Pod, 'status'>, address: string): boolean {
  return (status?.podIPs ?? []).some(({ ip }) => ip === address);
}

/** The error for a Service without endpoints. */
export function unavailable(message: string): ApiError {
  return new ApiError({ reason: 'ServiceUnavailable', message });
}
