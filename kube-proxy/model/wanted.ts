import { isIPv4 } from 'node:net';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1ServicePort } from '#api/generated/types.ts';
import type { Dispatch, EndpointAddress } from './dispatch.ts';
import { chooseEndpoints, type Place } from './endpoints.ts';
import { isWithin, normalRanges } from './source-ranges.ts';

const defaultAffinitySeconds = 10_800;
const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';
const headlessLabel = 'service.kubernetes.io/headless';
/** The label of a node with its zone. */
export const zoneLabel = 'topology.kubernetes.io/zone';

/** The node that the rules are for. */
export interface ThisNode extends Place {
  /** Its own IPv4 addresses, without the loopback's. */
  readonly addresses: readonly string[];
}

/** The dispatches of a Service on this node. None for headless and ExternalName Services and for those of another proxy. */
export function wantedDispatches(service: Service, slices: readonly EndpointSlice[], node: ThisNode): readonly Dispatch[] {
  const { spec } = service;
  if (!isServed(service)) return [];
  return (spec.ports ?? []).flatMap((port) => portDispatches(service, port, slices, node));
}

/** True for Services that this proxy implements. */
export function isServed({ spec, metadata: { labels = {} } }: Service): boolean {
  if (spec.type === 'ExternalName' || !isIPv4(spec.clusterIP ?? '')) return false;
  return labels[proxyNameLabel] === undefined && labels[headlessLabel] === undefined;
}

function portDispatches(service: Service, port: V1ServicePort, slices: readonly EndpointSlice[], node: ThisNode): readonly Dispatch[] {
  const { spec } = service;
  const protocolText = port.protocol ?? 'TCP';
  const choose = (local: boolean): Dispatch['endpoints'] =>
    chooseEndpoints(slices, { portName: port.name ?? '', protocol: protocolText, onlyNode: local ? node.name : undefined, near: node });
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const shared = {
    clients: 'all',
    protocol: protocolText.toLowerCase() as Dispatch['protocol'],
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : undefined,
    isVirtual: false,
    sourceRanges: [],
  } as const;
  const internal: Dispatch = {
    ...shared,
    at: 'address',
    address: spec.clusterIP ?? '',
    port: port.port,
    endpoints: choose(internalLocal),
    masquerade: 'outside-pods',
    whenEmpty: internalLocal && choose(false).length > 0 ? 'drop' : 'reject',
    isVirtual: true,
  };
  const external: ExternalTraffic = {
    shared,
    all: choose(false),
    local: spec.externalTrafficPolicy === 'Local' ? choose(true) : undefined,
  };
  const ranges = normalRanges(spec.loadBalancerSourceRanges ?? []);
  return [
    internal,
    ...(spec.externalIPs ?? []).filter(isIPv4).flatMap((address) => fronts(external, { at: 'address', address, port: port.port })),
    ...loadBalancerAddresses(service).flatMap((address) =>
      fronts(external, { at: 'address', address, port: port.port, sourceRanges: rangesFor(address, ranges, node) }),
    ),
    ...(port.nodePort === undefined || port.nodePort === 0 ? [] : fronts(external, { at: 'node-port', address: '', port: port.nodePort })),
  ];
}

/** Endpoints for external traffic; `local`: those on this node, where externalTrafficPolicy is Local. */
interface ExternalTraffic {
  readonly shared: Pick<Dispatch, 'protocol' | 'affinitySeconds' | 'isVirtual' | 'sourceRanges'>;
  readonly all: readonly EndpointAddress[];
  readonly local: readonly EndpointAddress[] | undefined;
}

/**
 * The dispatches of one external front. Policy Local keeps clients from elsewhere to this node's endpoints, with their own address;
 * pods and the node itself reach every endpoint all the same, since no load balancer chose this node for them.
 */
function fronts(
  { shared, all, local }: ExternalTraffic,
  front: Pick<Dispatch, 'at' | 'address' | 'port'> & Partial<Dispatch>,
): readonly Dispatch[] {
  if (local === undefined) return [{ ...shared, ...front, clients: 'all', endpoints: all, masquerade: 'always', whenEmpty: 'reject' }];
  const forAll: Dispatch = {
    ...shared,
    ...front,
    clients: 'all',
    endpoints: local,
    masquerade: 'never',
    whenEmpty: all.length > 0 ? 'drop' : 'reject',
  };
  if (all.length === 0) return [forAll];
  return [forAll, { ...forAll, clients: 'inside', endpoints: all, masquerade: 'from-node', sourceRanges: [] }];
}

/** A node that may connect does so from the Service's address itself where that is routed to the node. */
function rangesFor(address: string, ranges: readonly string[], node: ThisNode): readonly string[] {
  return node.addresses.some((own) => isWithin(own, ranges)) ? normalRanges([...ranges, address]) : ranges;
}

/** Load-balancer addresses that this node forwards; those with ipMode Proxy are handled by the load balancer itself. */
export function loadBalancerAddresses({ spec, status }: Service): readonly string[] {
  if (spec.type !== 'LoadBalancer') return [];
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip, ipMode }) => (ip !== undefined && isIPv4(ip) && ipMode !== 'Proxy' ? [ip] : []));
}
