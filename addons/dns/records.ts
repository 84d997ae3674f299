import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { Service } from '#api/core/service/service.ts';
import { dashedAddress } from './names.ts';

/** One record of an answer, in dns-packet's form. */
export type DnsRecord =
  | { readonly name: string; readonly type: 'A' | 'AAAA' | 'CNAME' | 'PTR'; readonly ttl: number; readonly data: string }
  | { readonly name: string; readonly type: 'TXT'; readonly ttl: number; readonly data: string }
  | {
      readonly name: string;
      readonly type: 'SRV';
      readonly ttl: number;
      readonly data: { port: number; target: string; priority: number; weight: number };
    }
  | { readonly name: string; readonly type: 'SOA'; readonly ttl: number; readonly data: SoaData };

interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** An address behind a headless Service. */
interface HeadlessEndpoint {
  readonly ip: string;
  readonly family: 'A' | 'AAAA';
  /** Its name below the Service's: the host name it asked for, else its address with dashes. */
  readonly host: string;
  readonly ports: readonly NamedPort[];
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

/** Addresses of a Service with a virtual one, each with its record type. */
export function clusterAddresses({ spec }: Service): readonly { readonly ip: string; readonly family: 'A' | 'AAAA' }[] {
  const ips = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return ips.filter((ip) => ip !== '' && ip !== 'None').map((ip) => ({ ip, family: ip.includes(':') ? 'AAAA' : 'A' }));
}

/** Ports of a Service, with lower-case protocols. */
export function servicePorts({ spec }: Service): readonly NamedPort[] {
  return (spec.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol: protocol.toLowerCase(), port }));
}

/** What a headless Service's slices offer: ready endpoints, each address once. Slices mark all ready where the Service publishes unready ones. */
export function headlessEndpoints(slices: readonly EndpointSlice[]): readonly HeadlessEndpoint[] {
  const found = new Map<string, HeadlessEndpoint>();
  for (const slice of slices) {
    const family = slice.addressType === 'IPv6' ? 'AAAA' : 'A';
    const ports = (slice.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
      port === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
    );
    for (const { addresses, conditions, hostname } of slice.endpoints ?? []) {
      if (conditions?.ready === false) continue;
      for (const ip of addresses) {
        const known = found.get(ip);
        found.set(ip, { ip, family, host: hostname ?? dashedAddress(ip), ports: [...(known?.ports ?? []), ...ports] });
      }
    }
  }
  return [...found.values()];
}
