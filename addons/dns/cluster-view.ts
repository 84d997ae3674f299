import { namespace } from '#api/core/namespace.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { type CachedKind, cached, type ClusterCache } from '#client/cluster-cache.ts';
import type { ZoneView } from './zone.ts';

const byAddress = 'address';
const byService = 'service';
const byClusterIp = 'cluster-ip';
const byEndpointIp = 'endpoint-ip';
const serviceLabel = 'kubernetes.io/service-name';

/** What the zone caches, with indexes and without what it does not need. */
export const cachedKinds: readonly CachedKind[] = [
  cached(namespace, {
    transform: ({ metadata: { name, resourceVersion, uid } }) => ({ metadata: { name, resourceVersion, uid } }) as never,
  }),
  cached<Node>(node, {
    indexes: { [byAddress]: ({ status }) => (status?.addresses ?? []).map(({ address }) => address) },
    transform: ({ metadata: { name, resourceVersion, uid }, status }) =>
      ({ metadata: { name, resourceVersion, uid }, status: { addresses: status?.addresses ?? [] } }) as never,
  }),
  cached(service, {
    indexes: { [byClusterIp]: ({ spec }) => (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None') },
    transform: withoutManagedFields,
  }),
  cached(endpointSlice, {
    indexes: {
      [byService]: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[serviceLabel] ?? ''}`],
      [byEndpointIp]: ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses),
    },
    transform: withoutManagedFields,
  }),
];

/** The zone's view on a cache that was made with `cachedKinds`. */
export function clusterView(cache: ClusterCache): ZoneView {
  const services = cache.informer<Service>(service);
  const slices = cache.informer<EndpointSlice>(endpointSlice);
  return {
    service: (inNamespace, name) => services.get({ namespace: inNamespace, name }),
    slices: (inNamespace, name) => slices.byIndex(byService, `${inNamespace}/${name}`),
    hasNamespace: (name) => cache.get(namespace, { name }) !== undefined,
    serviceOf: (ip) => services.byIndex(byClusterIp, ip)[0],
    slicesWith: (ip) => slices.byIndex(byEndpointIp, ip),
  };
}

/** True for an address of a node. */
export function isNodeAddress(cache: ClusterCache, address: string): boolean {
  return cache.informer<Node>(node).byIndex(byAddress, address).length > 0;
}

function withoutManagedFields<T extends { metadata: { managedFields?: unknown } }>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}
