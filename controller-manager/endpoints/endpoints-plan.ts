import type { Endpoints } from '#api/core/endpoints.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset } from '#api/generated/types.ts';
import deepEqual from 'fast-deep-equal';
import { isReady } from '../pods/pod-state.ts';
import { isReachable, podPort, publishedHostname } from './service-pods.ts';
import { headlessLabel } from './slices-plan.ts';

const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
/** An Endpoints object with more addresses is cut: it was why slices were invented. */
const maxAddresses = 1_000;

/** The Endpoints object that belongs to a Service and its pods; `undefined` when `existing` says the same already. */
export function planEndpoints(owner: Service, pods: readonly Pod[], existing: Endpoints | undefined): Endpoints | undefined {
  const { subsets, isCut } = subsetsOf(owner, pods);
  const labels = {
    ...owner.metadata.labels,
    [managedByLabel]: 'endpoint-controller',
    ...(owner.spec.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  };
  const { [overCapacityAnnotation]: _old, ...annotations } = existing?.metadata.annotations ?? {};
  if (isCut) annotations[overCapacityAnnotation] = 'truncated';
  const isSame =
    existing !== undefined &&
    deepEqual(existing.subsets ?? [], subsets) &&
    deepEqual(existing.metadata.labels ?? {}, labels) &&
    deepEqual(existing.metadata.annotations ?? {}, annotations);
  if (isSame) return undefined;
  const metadata = existing?.metadata ?? {
    name: owner.metadata.name ?? '',
    ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
  };
  return {
    ...existing,
    metadata: { ...metadata, labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    subsets,
  };
}

/** One subset for each combination of ports, addresses and ports sorted, as upstream packs them. */
function subsetsOf(owner: Service, pods: readonly Pod[]): { readonly subsets: V1EndpointSubset[]; readonly isCut: boolean } {
  const groups = new Map<string, { ports: CoreV1EndpointPort[]; addresses: V1EndpointAddress[]; notReadyAddresses: V1EndpointAddress[] }>();
  const usable = pods.filter(
    (one) => isReachable(one) && (one.metadata.deletionTimestamp === undefined || owner.spec.publishNotReadyAddresses === true),
  );
  const chosen = usable.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a))).slice(0, maxAddresses);
  for (const one of chosen) {
    const ports = portsOf(one, owner);
    if (ports.length === 0 && (owner.spec.ports ?? []).length > 0) continue;
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, addresses: [], notReadyAddresses: [] };
    groups.set(id, group);
    const isServed = owner.spec.publishNotReadyAddresses === true || isReady(one);
    (isServed ? group.addresses : group.notReadyAddresses).push(addressOf(one, owner));
  }
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const subsets = sorted.map(({ ports, addresses, notReadyAddresses }) => ({
    ...(addresses.length > 0 ? { addresses: addresses.toSorted(byIp) } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses: notReadyAddresses.toSorted(byIp) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  }));
  return { subsets, isCut: usable.length > maxAddresses };
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

function addressOf(one: Pod, owner: Service): V1EndpointAddress {
  const { metadata, spec, status } = one;
  const hostname = publishedHostname(one, owner);
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ip: status?.podIP ?? '',
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
