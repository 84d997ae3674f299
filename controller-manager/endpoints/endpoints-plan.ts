import type { Endpoints } from '#api/core/endpoints.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset } from '#api/generated/types.ts';
import deepEqual from 'fast-deep-equal';
import { isReady } from '../pods/pod-state.ts';
import { addressOf, headlessLabel, isHeadless, isReachable, podPort, publishedHostname } from './service-pods.ts';
import { withTriggerTime } from './trigger-times.ts';

export const managedByLabel = 'endpoints.kubernetes.io/managed-by';
export const managerName = 'endpoint-controller';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
/** An Endpoints object with more addresses is cut: it was why slices were invented. */
const maxAddresses = 1_000;

export interface EndpointsView {
  readonly service: Service;
  /** Selected by the Service. */
  readonly pods: readonly Pod[];
  readonly existing: Endpoints | undefined;
  /** Since when the change waits; undefined where no pod's readiness changed. */
  readonly triggerTime: string | undefined;
}

/** The Endpoints object that belongs to a Service and its pods; undefined when the existing one says the same already. */
export function planEndpoints({ service: owner, pods, existing, triggerTime }: EndpointsView): Endpoints | undefined {
  const { subsets, isCut } = subsetsOf(owner, pods);
  const labels = {
    ...owner.metadata.labels,
    [managedByLabel]: managerName,
    ...(isHeadless(owner) ? { [headlessLabel]: '' } : {}),
  };
  const { [overCapacityAnnotation]: _old, ...others } = existing?.metadata.annotations ?? {};
  const before: Record<string, string> = isCut ? { ...others, [overCapacityAnnotation]: 'truncated' } : others;
  const isSame =
    existing !== undefined &&
    deepEqual(existing.subsets ?? [], subsets) &&
    deepEqual(existing.metadata.labels ?? {}, labels) &&
    deepEqual(existing.metadata.annotations ?? {}, before);
  if (isSame) return undefined;
  const { annotations: _given, ...metadata } = existing?.metadata ?? {
    name: owner.metadata.name ?? '',
    ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
  };
  const annotations = withTriggerTime(before, triggerTime);
  return {
    ...existing,
    metadata: { ...metadata, labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    subsets,
  };
}

interface SubsetDraft {
  readonly ports: CoreV1EndpointPort[];
  readonly addresses: V1EndpointAddress[];
  readonly notReadyAddresses: V1EndpointAddress[];
}

/** One subset for each combination of ports, addresses and ports sorted, as upstream packs them. */
function subsetsOf(owner: Service, pods: readonly Pod[]): { readonly subsets: V1EndpointSubset[]; readonly isCut: boolean } {
  const { ports: servicePorts = [], publishNotReadyAddresses: takesAll = false } = owner.spec;
  // Only headless Services may be without ports: then the names alone are what is published.
  const usable = servicePorts.length === 0 && !isHeadless(owner) ? [] : pods.filter((one) => isUsable(one, takesAll));
  const chosen = usable.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a))).slice(0, maxAddresses);
  const drafts = new Map<string, SubsetDraft>();
  for (const one of chosen) {
    const ports = portsOf(one, owner);
    if (ports.length === 0 && servicePorts.length > 0) continue;
    const id = JSON.stringify(ports);
    const draft = drafts.get(id) ?? { ports, addresses: [], notReadyAddresses: [] };
    drafts.set(id, draft);
    (takesAll || isReady(one) ? draft.addresses : draft.notReadyAddresses).push(endpointAddress(one, owner));
  }
  const sorted = [...drafts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, draft]) => draft);
  const subsets = sorted.map(({ ports, addresses, notReadyAddresses }) => ({
    ...(addresses.length > 0 ? { addresses: addresses.toSorted(byIp) } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses: notReadyAddresses.toSorted(byIp) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  }));
  return { subsets, isCut: usable.length > maxAddresses };
}

/** Pods that are going are left out, unless the Service publishes everything. */
function isUsable(one: Pod, takesAll: boolean): boolean {
  return isReachable(one) && (takesAll || one.metadata.deletionTimestamp === undefined);
}

function portsOf(one: Pod, { spec }: Service): CoreV1EndpointPort[] {
  const ports = (spec.ports ?? []).flatMap((port) => {
    const number = podPort(one, port);
    if (number === undefined) return [];
    const { name, protocol = 'TCP', appProtocol } = port;
    return [{ ...(name === undefined ? {} : { name }), port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
  return ports.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function endpointAddress(one: Pod, owner: Service): V1EndpointAddress {
  const { metadata, spec } = one;
  const hostname = publishedHostname(one, owner);
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ip: addressOf(one) ?? '',
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name ?? '',
      uid: metadata.uid ?? '',
    },
  };
}

function byIp(a: V1EndpointAddress, b: V1EndpointAddress): number {
  return a.ip < b.ip ? -1 : 1;
}
