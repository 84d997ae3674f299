// Which pods stand behind a Service, by which address and on which ports: shared by Endpoints and EndpointSlices.
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { V1ServicePort } from '#api/generated/types.ts';
import { ipFamilyOf } from '#api/meta/ip.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import { isFinished } from '../pods/pod-state.ts';

/** Marks what belongs to a headless Service. */
export const headlessLabel = 'service.kubernetes.io/headless';

/** True for Services whose endpoints are found by selector; the others are managed elsewhere. */
export function hasSelector({ spec }: Service): boolean {
  return spec.selector !== undefined && Object.keys(spec.selector).length > 0 && spec.type !== 'ExternalName';
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === 'None';
}

/** The pods that a Service's selector means, in the order of their names. */
export function selectedPods(selector: LabelSelector, pods: readonly Pod[]): readonly Pod[] {
  return pods
    .filter(({ metadata }) => selector.matches(metadata.labels))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Whether a pod can stand behind a Service at all: it has an address and has not ended. One that is going still can. */
export function isReachable(pod: Pod): boolean {
  return !isFinished(pod) && addressOf(pod) !== undefined;
}

/** The pod's IPv4 address; undefined while it has none. */
export function addressOf({ status }: Pod): string | undefined {
  const addresses = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP];
  return addresses.find((ip) => ip !== undefined && ipFamilyOf(ip) === 4);
}

/** The number of a pod's port for a port of a Service; undefined where the pod has none of that name. */
export function podPort({ spec }: Pod, { targetPort, port, protocol = 'TCP' }: V1ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const { ports = [] } of [...spec.containers, ...sidecars]) {
    const found = ports.find(({ name, protocol: own = 'TCP' }) => name === targetPort && own === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** The name by which a headless Service publishes this pod alone. */
export function publishedHostname({ spec, metadata }: Pod, object: Service): string | undefined {
  const isNamed =
    (spec.hostname ?? '') !== '' && spec.subdomain === object.metadata.name && metadata.namespace === object.metadata.namespace;
  return isNamed ? spec.hostname : undefined;
}
