import type { Service } from '#api/core/service/service.ts';
import type { V1Endpoint, V1EndpointHints } from '#api/generated/types.ts';

const modeAnnotation = 'service.kubernetes.io/topology-mode';
const oldModeAnnotation = 'service.kubernetes.io/topology-aware-hints';

/** True for a Service whose endpoints are to get hints by the zones' parts of the CPUs (zone-shares.ts), which comes before all else. */
export function wantsShares({ metadata: { annotations = {} } }: Service): boolean {
  return ['Auto', 'auto'].includes(annotations[modeAnnotation] ?? annotations[oldModeAnnotation] ?? '');
}

/**
 * Whose traffic an endpoint should get, by the Service's `trafficDistribution` (upstream's
 * staging/src/k8s.io/endpointslice/trafficdist): that of its own zone, or of its own node and else of its zone. Undefined for everybody's;
 * endpoints that are not ready get no traffic, so they say nothing.
 */
export function hintsFor(owner: Service, { conditions, nodeName, zone }: V1Endpoint): V1EndpointHints | undefined {
  const distribution = wantsShares(owner) ? undefined : owner.spec.trafficDistribution;
  if (distribution === undefined || conditions?.ready !== true) return undefined;
  const hints: V1EndpointHints = {
    ...(distribution === 'PreferSameNode' && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}
