// What must change in the EndpointSlices of one Service with a selector (upstream's staging/src/k8s.io/endpointslice/reconciler.go).
import type { Pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { DiscoveryV1EndpointPort, V1Endpoint } from '#api/generated/types.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { controllerReference, isControlledBy } from '#api/meta/owner-references.ts';
import { serviceNameLabel } from '../cache-indexes.ts';
import { endpointId, packSlices } from './pack-slices.ts';
import { endpointOf, portsOf, portsText, samePorts } from './pod-endpoint.ts';
import { headlessLabel, isHeadless, isReachable } from './service-pods.ts';
import deepEqual from 'fast-deep-equal';
import { hintByShares, type ZoneShares } from './zone-shares.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managerName = 'endpointslice-controller.k8s.io';
/** Upstream's --max-endpoints-per-slice. */
const maxPerSlice = 100;

export interface SlicesView {
  readonly service: Service;
  /** Selected by the Service. */
  readonly pods: readonly Pod[];
  /** Slices of this controller that name the Service. */
  readonly existing: readonly EndpointSlice[];
  /** The zone of a node, undefined where it has none; 'no node' where there is no such node. */
  readonly zoneOf: (nodeName: string) => string | undefined | typeof noNode;
  /** Set for a Service that wants hints by it: which part of the CPUs each zone has. */
  readonly byShares?: { readonly shares: ZoneShares } | undefined;
  /** Default 100. */
  readonly maxPerSlice?: number;
}

/** Says of a pod that its node is not there: it cannot serve, even if it is Ready. */
export const noNode: unique symbol = Symbol('no node');

export interface SlicesPlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
  /** Why hints by the zones' shares were requested but none are set. */
  readonly refusal?: string | undefined;
}

type Draft = Record<'create' | 'update' | 'remove' | 'kept', EndpointSlice[]>;

/** Endpoints that share their port numbers share slices. */
interface PortGroup {
  readonly ports: DiscoveryV1EndpointPort[];
  readonly endpoints: V1Endpoint[];
}

/** How the slices must change; empty when they are right. A Service without endpoints keeps one empty slice. */
export function planSlices(view: SlicesView): SlicesPlan {
  const { service: owner, existing, maxPerSlice: max = maxPerSlice } = view;
  const plan: Draft = { create: [], update: [], remove: [], kept: [] };
  const usable = existing.filter((slice) => isUsable(slice, owner));
  const unclaimed = new Set(usable);
  plan.remove.push(...existing.filter((slice) => !usable.includes(slice) && slice.metadata.deletionTimestamp === undefined));
  for (const group of groupByPorts(view)) {
    const own = usable.filter(({ ports }) => samePorts(ports ?? [], group.ports));
    for (const slice of own) unclaimed.delete(slice);
    planGroup(group, own, { owner, max }, plan);
  }
  plan.remove.push(...unclaimed);
  keepPlaceholder(plan, owner);
  reuse(plan, owner);
  const { create, update, remove } = plan;
  return view.byShares === undefined ? { create, update, remove } : hinted(plan, owner, view.byShares.shares);
}

/** The plan with hints by the zones' parts of the CPUs. */
function hinted({ create, update, remove, kept }: Draft, owner: Service, shares: ZoneShares): SlicesPlan {
  const { changed, refusal } = hintByShares([...create, ...update], kept, shares);
  const withHints = (slices: readonly EndpointSlice[]): EndpointSlice[] =>
    slices.flatMap((slice) => {
      const endpoints = changed.get(slice);
      return endpoints === undefined || (kept.includes(slice) && deepEqual(endpoints, slice.endpoints))
        ? []
        : [withEndpoints(slice, endpoints, owner)];
    });
  return { create: withHints(create), update: withHints([...update, ...kept]), remove, refusal };
}

/** Others are of an earlier Service of the same name, of a family that the Service has not, or going already. */
function isUsable(slice: EndpointSlice, owner: Service): boolean {
  return slice.addressType === 'IPv4' && isControlledBy(slice, owner) && slice.metadata.deletionTimestamp === undefined;
}

function planGroup(
  { ports, endpoints }: PortGroup,
  own: readonly EndpointSlice[],
  { owner, max }: { owner: Service; max: number },
  plan: Draft,
): void {
  const packing = packSlices(own, endpoints, max);
  for (const slice of packing.keep) {
    if (hasLabelsOf(slice, owner)) plan.kept.push(slice);
    else plan.update.push(withEndpoints(slice, slice.endpoints ?? [], owner));
  }
  plan.update.push(...packing.update.map((one) => withEndpoints(one.slice, one.endpoints, owner)));
  plan.create.push(...packing.create.map((some) => newSlice(owner, ports, some)));
  plan.remove.push(...packing.remove);
}

/** Leaves one empty slice where there would be none, so that consumers can distinguish "no endpoints" from "not synced yet". */
function keepPlaceholder(plan: Draft, owner: Service): void {
  if (plan.create.length + plan.update.length + plan.kept.length > 0) return;
  const placeholder = plan.remove.find((slice) => isUsable(slice, owner) && isEmpty(slice) && hasLabelsOf(slice, owner));
  if (placeholder === undefined) plan.create.push(newSlice(owner, [], []));
  else plan.remove = plan.remove.filter((slice) => slice !== placeholder);
}

/** Slices to make take over the names of slices to remove: readers then see one change instead of a gap or a double. */
function reuse(plan: Draft, owner: Service): void {
  const free = plan.remove.filter((slice) => isUsable(slice, owner));
  while (plan.create.length > 0 && free.length > 0) {
    const made = plan.create.pop();
    const old = free.shift();
    if (made === undefined || old === undefined) return;
    plan.remove = plan.remove.filter((slice) => slice !== old);
    plan.update.push({ ...withEndpoints(old, made.endpoints ?? [], owner), ports: made.ports ?? [] });
  }
}

function isEmpty({ endpoints, ports }: EndpointSlice): boolean {
  return (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
}

function groupByPorts({ service: owner, pods, zoneOf, existing, byShares }: SlicesView): readonly PortGroup[] {
  // Hints that are there stay until it is known that they do not do any more.
  const known = new Map(
    (byShares === undefined ? [] : existing).flatMap(({ endpoints }) => endpoints ?? []).map((one) => [endpointId(one), one.hints]),
  );
  const groups = new Map<string, PortGroup>();
  for (const pod of pods.filter(isReachable)) {
    const { nodeName } = pod.spec;
    const zone = nodeName === undefined ? undefined : zoneOf(nodeName);
    if (zone === noNode && owner.spec.publishNotReadyAddresses !== true) continue;
    const ports = portsOf(pod, owner);
    const id = portsText(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    groups.set(id, group);
    const endpoint = endpointOf(pod, owner, zone === noNode ? undefined : zone);
    const hints = endpoint.conditions?.ready === true ? known.get(endpointId(endpoint)) : undefined;
    group.endpoints.push(hints === undefined ? endpoint : { ...endpoint, hints });
  }
  return [...groups.values()];
}

const ownLabels: readonly string[] = [serviceNameLabel, managedByLabel, headlessLabel];

/** The Service's own labels, and those that lead from the slice to it. */
function labelsFor(owner: Service): Record<string, string> {
  const copied = Object.entries(owner.metadata.labels ?? {}).filter(([key]) => !ownLabels.includes(key));
  return {
    ...Object.fromEntries(copied),
    ...(isHeadless(owner) ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: owner.metadata.name ?? '',
    [managedByLabel]: managerName,
  };
}

/** Labels added by other clients are ignored, and removed with the next change of the endpoints. */
function hasLabelsOf({ metadata }: EndpointSlice, owner: Service): boolean {
  const isHeadlessSlice = metadata.labels?.[headlessLabel] !== undefined;
  return (
    isHeadlessSlice === isHeadless(owner) && Object.entries(labelsFor(owner)).every(([key, value]) => metadata.labels?.[key] === value)
  );
}

function withEndpoints(slice: EndpointSlice, endpoints: readonly V1Endpoint[], owner: Service): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels: labelsFor(owner) }, endpoints: [...endpoints] };
}

function newSlice(owner: Service, ports: DiscoveryV1EndpointPort[], endpoints: readonly V1Endpoint[]): EndpointSlice {
  return {
    apiVersion: apiVersionOf(endpointSlice),
    kind: endpointSlice.kind,
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: labelsFor(owner),
      ownerReferences: [controllerReference(service, owner)],
    },
    addressType: 'IPv4',
    endpoints: [...endpoints],
    ports,
  };
}
