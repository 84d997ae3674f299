import { isIPv4 } from 'node:net';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1EndpointHints } from '#api/generated/types.ts';
import type { EndpointAddress } from './dispatch.ts';

/** Which endpoints of a Service's slices count. */
interface EndpointQuery {
  /** Name of the Service's port ('' for the unnamed one). */
  readonly portName: string;
  readonly protocol: string;
  /** Only endpoints on this node; undefined takes all. */
  readonly onlyNode: string | undefined;
  /** Where the clients are: of several endpoints those count whose hints name it. Has no meaning beside `onlyNode`. */
  readonly near: Place;
}

/** A node, and the zone that it is in, if any. */
export interface Place {
  readonly name: string;
  readonly zone?: string | undefined;
}

type Ready = ReadonlyMap<string, EndpointAddress>;

/**
 * The endpoints that traffic may go to: the ready ones, of those the ones meant for clients here; where none is ready, those that still serve while they end
 * (upstream's pkg/proxy/topology.go). Sorted and each once, since slices may repeat an address while they are rewritten.
 */
export function chooseEndpoints(slices: readonly EndpointSlice[], query: EndpointQuery): readonly EndpointAddress[] {
  const ready = new Map<string, EndpointAddress>();
  const hints = new Map<string, V1EndpointHints>();
  const ending = new Map<string, EndpointAddress>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = slice.ports?.find(({ name = '', protocol = 'TCP' }) => name === query.portName && protocol === query.protocol)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions = {}, nodeName, hints: meantFor } of slice.endpoints ?? []) {
      const [ip] = addresses;
      if (ip === undefined || !isIPv4(ip) || (query.onlyNode !== undefined && nodeName !== query.onlyNode)) continue;
      const isReady = conditions.ready ?? true;
      const id = `${ip}:${port}`;
      if (isReady) {
        ready.set(id, { ip, port });
        if (meantFor !== undefined) hints.set(id, meantFor);
      } else if (conditions.serving === true && conditions.terminating === true) ending.set(id, { ip, port });
    }
  }
  const preferred = query.onlyNode === undefined ? nearest(ready, hints, query.near) : ready;
  const chosen = ready.size > 0 ? preferred : ending;
  return [...chosen.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

/**
 * Hints count only where all endpoints have them and one of them means the place: those for its node, or else those for its zone.
 * Otherwise all endpoints serve all clients.
 */
function nearest(ready: Ready, hints: ReadonlyMap<string, V1EndpointHints>, { name, zone = '' }: Place): Ready {
  if (hints.size < ready.size) return ready;
  for (const [kind, wanted] of [
    ['forNodes', name],
    ['forZones', zone],
  ] as const) {
    const isHinted = [...hints.values()].every((one) => (one[kind] ?? []).length > 0);
    if (!isHinted) continue;
    const here = [...ready].filter(([id]) => hints.get(id)?.[kind]?.some((one) => one.name === wanted) === true);
    if (here.length > 0) return new Map(here);
  }
  return ready;
}

/** How many of this node's pods are ready for a Service, whatever its ports: what a load balancer's health check asks. */
export function countLocalReady(slices: readonly EndpointSlice[], nodeName: string): number {
  const ips = slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter((endpoint) => endpoint.nodeName === nodeName && (endpoint.conditions?.ready ?? true))
    .flatMap(({ addresses: [ip] }) => (ip === undefined ? [] : [ip]));
  return new Set(ips).size;
}
