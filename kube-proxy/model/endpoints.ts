import { isIPv4 } from 'node:net';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { EndpointAddress } from './dispatch.ts';

/** Which endpoints of a Service's slices count. */
export interface EndpointQuery {
  /** Name of the Service's port ('' for the unnamed one). */
  readonly portName: string;
  readonly protocol: string;
  /** Only endpoints on this node; undefined takes all. */
  readonly onlyNode: string | undefined;
}

/**
 * The endpoints that traffic may go to: the ready ones; where there is none, those that still serve while they end
 * (upstream's pkg/proxy/topology.go). Sorted and each once, since slices may repeat an address while they are rewritten.
 */
export function chooseEndpoints(slices: readonly EndpointSlice[], query: EndpointQuery): readonly EndpointAddress[] {
  const ready = new Map<string, EndpointAddress>();
  const ending = new Map<string, EndpointAddress>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = slice.ports?.find(({ name = '', protocol = 'TCP' }) => name === query.portName && protocol === query.protocol)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions = {}, nodeName } of slice.endpoints ?? []) {
      const [ip] = addresses;
      if (ip === undefined || !isIPv4(ip) || (query.onlyNode !== undefined && nodeName !== query.onlyNode)) continue;
      const isReady = conditions.ready ?? true;
      if (isReady) ready.set(`${ip}:${port}`, { ip, port });
      else if ((conditions.serving ?? isReady) && conditions.terminating === true) ending.set(`${ip}:${port}`, { ip, port });
    }
  }
  const chosen = ready.size > 0 ? ready : ending;
  return [...chosen.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
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
