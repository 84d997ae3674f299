import type { Service } from '#api/core/service/service.ts';
import type { V1Endpoint, V1EndpointHints } from '#api/generated/types.ts';

/**
 * Whose traffic an endpoint should get, as the Service's `trafficDistribution` wishes (upstream's
 * staging/src/k8s.io/endpointslice/trafficdist): that of its own zone, or of its own node and else of its zone. Undefined for everybody's;
 * endpoints that are not ready get no traffic, so they say nothing.
 */
export function hintsFor({ spec }: Service, { conditions, nodeName, zone }: V1Endpoint): V1EndpointHints | undefined {
  const wish = spec.trafficDistribution;
  if (wish === undefined || conditions?.ready !== true) return undefined;
  const hints: V1EndpointHints = {
    ...(wish === 'PreferSameNode' && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}
