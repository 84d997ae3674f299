// Which pods stand behind a Service, by which address and on which ports: shared by Endpoints and EndpointSlices.
import { type Pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { V1ServicePort } from '#api/generated/types.ts';
import { mapSelectorOf } from '#api/meta/label-selector.ts';
import { keyOf, type ObjectKey } from '#api/meta/object.ts';
import type { CacheReader } from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { isReady } from '../pods/pod-state.ts';

/** True for Services whose endpoints are found by selector; the others' are somebody else's. */
export function hasSelector({ spec }: Service): boolean {
  return spec.selector !== undefined && Object.keys(spec.selector).length > 0 && spec.type !== 'ExternalName';
}

/** The pods that a Service's selector means, in the order of their names. */
export function selectedPods(object: Service, pods: readonly Pod[]): readonly Pod[] {
  const selector = mapSelectorOf(object.spec.selector ?? {});
  return pods
    .filter(({ metadata }) => selector.matches(metadata.labels ?? {}))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Whether a pod can stand behind a Service at all: it has an address and has not ended. One that is going still can. */
export function isReachable({ status, metadata }: Pod): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  return (status?.podIP ?? '') !== '' && metadata.name !== undefined;
}

/** The number of a pod's port for a port of a Service; undefined where the pod has none of that name. */
export function podPort({ spec }: Pod, { targetPort, port, protocol = 'TCP' }: V1ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0) return port;
  if (typeof targetPort === 'number') return targetPort;
  if (/^\d+$/.test(targetPort)) return Number(targetPort);
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

/** Which Services must look again because of a pod: those that select it or did. Changes that no endpoint shows wake nobody. */
export function servicesOfPod(object: Pod, previous: Pod | undefined, cache: CacheReader): readonly ObjectKey[] {
  if (previous !== undefined && deepEqual(shownParts(object), shownParts(previous))) return [];
  const candidates = cache.list<Service>(service, object.metadata.namespace).filter(hasSelector);
  const labels = [object.metadata.labels ?? {}, ...(previous === undefined ? [] : [previous.metadata.labels ?? {}])];
  return candidates.filter(({ spec }) => labels.some((one) => mapSelectorOf(spec.selector ?? {}).matches(one))).map((one) => keyOf(one));
}

function shownParts(object: Pod): unknown {
  const { metadata, spec, status } = object;
  return [
    metadata.labels,
    metadata.deletionTimestamp,
    metadata.uid,
    spec.nodeName,
    spec.hostname,
    spec.subdomain,
    status?.phase,
    status?.podIP,
    status?.podIPs,
    isReady(object),
  ];
}
