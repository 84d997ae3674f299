// Endpoints that people write by hand for a Service without selector are mirrored to slices, since readers look at slices only
// (upstream's pkg/controller/endpointslicemirroring).
import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointAddress, V1EndpointSubset } from '#api/generated/types.ts';
import { ipFamilyOf } from '#api/meta/ip.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { controllerReference, isControlledBy } from '#api/meta/owner-references.ts';
import deepEqual from 'fast-deep-equal';
import { serviceNameLabel } from '../cache-indexes.ts';
import { packSlices } from './pack-slices.ts';
import { portsText, samePorts } from './pod-endpoint.ts';
import { managedByLabel, type SlicesPlan } from './slices-plan.ts';
import { triggerAnnotation } from './trigger-times.ts';

export const mirrorName = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** Upstream's --mirroring-max-endpoints-per-subset. */
export const maxPerSubset = 1_000;

/** False for Endpoints that say no, records of leaders and the like. */
export function shouldMirror({ metadata }: Endpoints): boolean {
  return metadata.labels?.[skipLabel] !== 'true' && metadata.annotations?.[leaderAnnotation] === undefined;
}

/** How the mirrored slices must change; empty when they are right. Without addresses there are no slices. */
export function planMirror(source: Endpoints, existing: readonly EndpointSlice[]): SlicesPlan {
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], remove: [] as EndpointSlice[] };
  const alive = existing.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const unclaimed = new Set(alive);
  for (const { ports, family, list } of groupsOf(source)) {
    const own = alive.filter(
      (slice) => slice.addressType === family && isControlledBy(slice, source) && samePorts(slice.ports ?? [], ports),
    );
    for (const slice of own) unclaimed.delete(slice);
    const packing = packSlices(own, list, maxPerSubset);
    for (const slice of packing.keep) if (!hasMetaOf(slice, source)) plan.update.push(withMeta(slice, slice.endpoints ?? [], source));
    plan.update.push(...packing.update.map((one) => withMeta(one.slice, one.endpoints, source)));
    plan.create.push(...packing.create.map((some) => newSlice(source, { ports, family }, some)));
    plan.remove.push(...packing.remove);
  }
  plan.remove.push(...unclaimed);
  return plan;
}

/** How many addresses are left out, because their subset has more than is mirrored. */
export function countSkipped({ subsets = [] }: Endpoints): number {
  const sizes = subsets.map(({ addresses = [], notReadyAddresses = [] }) => addresses.length + notReadyAddresses.length);
  return sizes.reduce((sum, size) => sum + Math.max(0, size - maxPerSubset), 0);
}

interface MirrorGroup {
  readonly ports: DiscoveryV1EndpointPort[];
  readonly family: 'IPv4' | 'IPv6';
  readonly list: V1Endpoint[];
}

function groupsOf({ subsets = [] }: Endpoints): readonly MirrorGroup[] {
  const groups = new Map<string, MirrorGroup>();
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(({ name = '', ...port }) => ({ name, ...port }));
    for (const endpoint of endpointsOf(subset).slice(0, maxPerSubset)) {
      const family = ipFamilyOf(endpoint.addresses[0] ?? '') === 6 ? 'IPv6' : 'IPv4';
      const id = `${family} ${portsText(ports)}`;
      const group = groups.get(id) ?? { ports, family, list: [] };
      groups.set(id, group);
      group.list.push(endpoint);
    }
  }
  return [...groups.values()];
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: V1EndpointSubset): V1Endpoint[] {
  const of = ({ ip, hostname, nodeName, targetRef }: V1EndpointAddress, ready: boolean): V1Endpoint => ({
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  });
  return [...addresses.map((one) => of(one, true)), ...notReadyAddresses.map((one) => of(one, false))];
}

function metaOf({ metadata }: Endpoints): { readonly labels: Record<string, string>; readonly annotations: Record<string, string> } {
  const { [lastAppliedAnnotation]: _applied, [triggerAnnotation]: _trigger, ...annotations } = metadata.annotations ?? {};
  return { labels: { ...metadata.labels, [serviceNameLabel]: metadata.name ?? '', [managedByLabel]: mirrorName }, annotations };
}

function hasMetaOf({ metadata }: EndpointSlice, source: Endpoints): boolean {
  const { labels, annotations } = metaOf(source);
  const { [triggerAnnotation]: _own, ...others } = metadata.annotations ?? {};
  return deepEqual(metadata.labels ?? {}, labels) && deepEqual(others, annotations);
}

function withMeta(slice: EndpointSlice, list: readonly V1Endpoint[], source: Endpoints): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, ...metaOf(source) }, endpoints: [...list] };
}

function newSlice(source: Endpoints, { ports, family }: Pick<MirrorGroup, 'ports' | 'family'>, list: readonly V1Endpoint[]): EndpointSlice {
  return {
    apiVersion: apiVersionOf(endpointSlice),
    kind: endpointSlice.kind,
    metadata: {
      generateName: `${source.metadata.name}-`,
      ...(source.metadata.namespace === undefined ? {} : { namespace: source.metadata.namespace }),
      ...metaOf(source),
      ownerReferences: [controllerReference(endpoints, source)],
    },
    addressType: family,
    endpoints: [...list],
    ports,
  };
}
