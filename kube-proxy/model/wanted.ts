import { isIPv4 } from 'node:net';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { V1ServicePort } from '#api/generated/types.ts';
import type { Dispatch } from './dispatch.ts';
import { chooseEndpoints } from './endpoints.ts';

const defaultAffinitySeconds = 10_800;
const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';
const headlessLabel = 'service.kubernetes.io/headless';

/** Everything that one Service wants of this node. Headless Services, ExternalName and those of another proxy want nothing. */
export function wantedDispatches(service: Service, slices: readonly EndpointSlice[], nodeName: string): readonly Dispatch[] {
  const { spec, metadata } = service;
  const labels = metadata.labels ?? {};
  if (spec.type === 'ExternalName' || !isIPv4(spec.clusterIP ?? '')) return [];
  if (labels[proxyNameLabel] !== undefined || labels[headlessLabel] !== undefined) return [];
  return (spec.ports ?? []).flatMap((port) => portDispatches(service, port, slices, nodeName));
}

function portDispatches(service: Service, port: V1ServicePort, slices: readonly EndpointSlice[], nodeName: string): Dispatch[] {
  const { spec } = service;
  const protocolText = port.protocol ?? 'TCP';
  const protocol = protocolText.toLowerCase() as Dispatch['protocol'];
  const choose = (local: boolean): Dispatch['endpoints'] =>
    chooseEndpoints(slices, { portName: port.name ?? '', protocol: protocolText, onlyNode: local ? nodeName : undefined });
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const externalLocal = spec.externalTrafficPolicy === 'Local';
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : undefined;
  const shared = { protocol, affinitySeconds, sourceRanges: [] };

  const internal: Dispatch = {
    ...shared,
    at: 'address',
    address: spec.clusterIP ?? '',
    port: port.port,
    endpoints: choose(internalLocal),
    masquerade: 'outside-pods',
    whenEmpty: internalLocal ? 'drop' : 'reject',
  };
  const external = {
    ...shared,
    endpoints: choose(externalLocal),
    masquerade: externalLocal ? 'never' : 'always',
    whenEmpty: externalLocal && choose(false).length > 0 ? 'drop' : 'reject',
  } as const;
  const atAddress = (address: string, sourceRanges: readonly string[] = []): Dispatch => ({
    ...external,
    at: 'address',
    address,
    port: port.port,
    sourceRanges,
  });
  return [
    internal,
    ...(spec.externalIPs ?? []).filter(isIPv4).map((address) => atAddress(address)),
    ...loadBalancerAddresses(service).map((address) => atAddress(address, spec.loadBalancerSourceRanges ?? [])),
    ...(port.nodePort === undefined || port.nodePort === 0
      ? []
      : [{ ...external, at: 'node-port' as const, address: '', port: port.nodePort }]),
  ];
}

/** Addresses that this node answers for; those in ipMode Proxy are handled by the load balancer itself. */
function loadBalancerAddresses({ spec, status }: Service): readonly string[] {
  if (spec.type !== 'LoadBalancer') return [];
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip, ipMode }) => (ip !== undefined && isIPv4(ip) && ipMode !== 'Proxy' ? [ip] : []));
}
