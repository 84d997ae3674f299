// What a client should know about a Service that is fine otherwise (pkg/api/service/warnings.go).
import { cidrWarnings, ipWarnings } from '../../meta/ip.ts';
import { isHeadless } from './rules.ts';
import type { Service } from './service.ts';

const oldTopology = 'service.kubernetes.io/topology-aware-hints';
const newTopology = 'service.kubernetes.io/topology-mode';

export function serviceWarnings(service: Service): string[] {
  const { metadata, spec } = service;
  const { externalIPs = [], loadBalancerIP = '', externalName = '' } = spec;
  const hasNone = spec.type === 'ClusterIP' && isHeadless(service);
  const isExternal = spec.type === 'ExternalName';
  const hasAddress = !isExternal && !hasNone;
  const hasOldAnnotation = metadata.annotations?.[oldTopology] !== undefined;
  return [
    ...when(hasOldAnnotation, `annotation ${oldTopology} is deprecated, please use ${newTopology} instead`),
    ...(isHeadless(service) ? [] : (spec.clusterIPs ?? []).flatMap((ip, at) => ipWarnings(`spec.clusterIPs[${at}]`, ip))),
    ...(hasNone ? headlessWarnings(service) : []),
    ...externalIPs.flatMap((ip, at) => ipWarnings(`spec.externalIPs[${at}]`, ip)),
    ...when(externalIPs.length > 0 && hasAddress, 'spec.externalIPs is deprecated and may no longer be implemented in some clusters'),
    ...ipWarnings('spec.loadBalancerIP', loadBalancerIP),
    ...(spec.loadBalancerSourceRanges ?? []).flatMap((range, at) => cidrWarnings(`spec.loadBalancerSourceRanges[${at}]`, range)),
    ...when(isExternal && externalIPs.length > 0, 'spec.externalIPs is ignored when spec.type is "ExternalName"'),
    ...when(!isExternal && externalName !== '', 'spec.externalName is ignored when spec.type is not "ExternalName"'),
    ...when(spec.trafficDistribution === 'PreferClose', 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'),
  ];
}

/** Warnings for those who provide load balancers. */
export function serviceStatusWarnings({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '' }, at) => ipWarnings(`status.loadBalancer.ingress[${at}]`, ip));
}

function when(holds: boolean, text: string): string[] {
  return holds ? [text] : [];
}

/** What needs an address does nothing where there is none. */
function headlessWarnings({ spec }: Service): string[] {
  return [
    ...when((spec.loadBalancerIP ?? '') !== '', 'spec.loadBalancerIP is ignored for headless services'),
    ...when((spec.externalIPs?.length ?? 0) > 0, 'spec.externalIPs is ignored for headless services'),
    ...when(spec.sessionAffinity !== 'None', 'spec.SessionAffinity is ignored for headless services'),
  ];
}
