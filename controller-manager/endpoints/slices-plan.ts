import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { DiscoveryV1EndpointPort, V1Endpoint } from '#api/generated/types.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import { service } from '#api/core/service/service.ts';
import deepEqual from 'fast-deep-equal';
import { isReady } from '../pods/pod-state.ts';
import { isReachable, podPort, publishedHostname } from './service-pods.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managerName = 'endpointslice-controller.k8s.io';
export const serviceNameLabel = 'kubernetes.io/service-name';
export const headlessLabel = 'service.kubernetes.io/headless';
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
/** Upstream's --max-endpoints-per-slice. */
export const maxPerSlice = 100;

export interface SlicesView {
  readonly service: Service;
  /** Selected by the Service. */
  readonly pods: readonly Pod[];
  /** Slices of this controller for the Service. */
  readonly existing: readonly EndpointSlice[];
  /** The zone of a node, where it has one. */
  readonly zoneOf: (nodeName: string) => string | undefined;
}

export interface SlicesPlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** Endpoints that share their port numbers share slices. */
interface PortGroup {
  readonly ports: DiscoveryV1EndpointPort[];
  readonly endpoints: Map<string, V1Endpoint>;
}

/**
 * How the slices must change. Endpoints stay in the slice where they are; new ones fill slices that change anyway, then others with room,
 * then new slices: each changed slice is sent to every node. A Service without endpoints keeps one empty slice.
 */
export function planSlices(view: SlicesView): SlicesPlan {
  const groups = groupByPorts(view);
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], remove: [] as EndpointSlice[] };
  const unclaimed = new Set(
    view.existing.filter(({ addressType, metadata }) => addressType === 'IPv4' && metadata.deletionTimestamp === undefined),
  );
  for (const group of groups) {
    const own = [...unclaimed].filter(({ ports }) => samePorts(ports ?? [], group.ports));
    for (const slice of own) unclaimed.delete(slice);
    planGroup(group, own, view.service, plan);
  }
  plan.remove.push(...unclaimed);
  keepPlaceholder(plan, view, groups);
  return plan;
}

function planGroup(
  group: PortGroup,
  own: readonly EndpointSlice[],
  owner: Service,
  plan: { create: EndpointSlice[]; update: EndpointSlice[]; remove: EndpointSlice[] },
): void {
  const waiting = new Map(group.endpoints);
  const drafts = own.map((slice) => {
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const id = endpointId(endpoint);
      const wanted = waiting.get(id);
      waiting.delete(id);
      return wanted === undefined ? [] : [deepEqual(wanted, endpoint) ? endpoint : wanted];
    });
    return { slice, endpoints, isChanged: !deepEqual(endpoints, slice.endpoints ?? []) };
  });
  const rest = [...waiting.values()];
  for (const draft of drafts.toSorted((a, b) => Number(b.isChanged) - Number(a.isChanged))) {
    const room = Math.min(maxPerSlice - draft.endpoints.length, rest.length);
    if (room <= 0) continue;
    draft.endpoints.push(...rest.splice(0, room));
    draft.isChanged = true;
  }
  for (const { slice, endpoints, isChanged } of drafts) {
    if (endpoints.length === 0) plan.remove.push(slice);
    else if (isChanged || !deepEqual(slice.metadata.labels ?? {}, labelsFor(owner)))
      plan.update.push(withEndpoints(slice, endpoints, owner));
  }
  while (rest.length > 0) plan.create.push(newSlice(owner, group.ports, rest.splice(0, maxPerSlice)));
}

/** Leaves one slice where all would go, so that consumers can tell "no endpoints" from "not looked at yet". */
function keepPlaceholder(
  plan: { create: EndpointSlice[]; update: EndpointSlice[]; remove: EndpointSlice[] },
  { service: owner }: SlicesView,
  groups: readonly PortGroup[],
): void {
  if (groups.some(({ endpoints }) => endpoints.size > 0) || plan.create.length + plan.update.length > 0) return;
  const [kept, ...removed] = plan.remove;
  if (kept === undefined) {
    plan.create.push(newSlice(owner, [], []));
    return;
  }
  plan.remove = removed;
  const isPlaceholder =
    (kept.endpoints ?? []).length === 0 && (kept.ports ?? []).length === 0 && deepEqual(kept.metadata.labels ?? {}, labelsFor(owner));
  if (!isPlaceholder) plan.update.push({ ...withEndpoints(kept, [], owner), ports: [] });
}

function groupByPorts({ service: owner, pods, zoneOf }: SlicesView): readonly PortGroup[] {
  const groups = new Map<string, PortGroup>();
  for (const one of pods.filter(isReachable)) {
    const ports = slicePorts(one, owner);
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, endpoints: new Map<string, V1Endpoint>() };
    groups.set(id, group);
    const endpoint = endpointOf(one, owner, zoneOf);
    group.endpoints.set(endpointId(endpoint), endpoint);
  }
  return [...groups.values()];
}

function slicePorts(one: Pod, { spec }: Service): DiscoveryV1EndpointPort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = podPort(one, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function endpointOf(one: Pod, owner: Service, zoneOf: SlicesView['zoneOf']): V1Endpoint {
  const { metadata, spec, status } = one;
  const serving = isReady(one);
  const terminating = metadata.deletionTimestamp !== undefined;
  const hostname = publishedHostname(one, owner);
  const zone = spec.nodeName === undefined ? undefined : zoneOf(spec.nodeName);
  return {
    addresses: [status?.podIP ?? ''],
    conditions: { ready: owner.spec.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name ?? '',
      uid: metadata.uid ?? '',
    },
    ...(zone === undefined ? {} : { zone }),
  };
}

function endpointId({ targetRef, addresses }: V1Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join(',')}`;
}

function samePorts(a: readonly DiscoveryV1EndpointPort[], b: readonly DiscoveryV1EndpointPort[]): boolean {
  return deepEqual(a.map(portText).toSorted(), b.map(portText).toSorted());
}

function portText({ name = '', port, protocol = 'TCP', appProtocol = '' }: DiscoveryV1EndpointPort): string {
  return `${name} ${port} ${protocol} ${appProtocol}`;
}

/** The Service's own labels, and those that lead from the slice to it. */
function labelsFor({ metadata, spec }: Service): Record<string, string> {
  const { [headlessLabel]: _own, ...labels } = metadata.labels ?? {};
  return {
    ...labels,
    [serviceNameLabel]: metadata.name ?? '',
    [managedByLabel]: managerName,
    ...(spec.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  };
}

function withEndpoints(slice: EndpointSlice, endpoints: V1Endpoint[], owner: Service): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels: labelsFor(owner) }, endpoints };
}

function newSlice(owner: Service, ports: DiscoveryV1EndpointPort[], endpoints: V1Endpoint[]): EndpointSlice {
  const trigger = owner.metadata.annotations?.[triggerAnnotation];
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: endpointSlice.kind,
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: labelsFor(owner),
      ...(trigger === undefined ? {} : { annotations: { [triggerAnnotation]: trigger } }),
      ownerReferences: [controllerReference(service, owner)],
    },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}
