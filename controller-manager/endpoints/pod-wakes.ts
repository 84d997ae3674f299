import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import { keyOf, type ObjectKey } from '#api/meta/object.ts';
import { type CacheReader, on, type Wake } from '#client/controller/define.ts';
import deepEqual from 'fast-deep-equal';
import { isReady } from '../pods/pod-state.ts';
import { hasSelector } from './service-pods.ts';

/** Services look again when a pod that they select, or did, changes in a way that endpoints show. */
export function podWakes(selectorOf: (object: Service) => LabelSelector): Wake {
  return on<Pod>(pod, (object, previous, cache) => {
    if (previous !== undefined && deepEqual(shownParts(object), shownParts(previous))) return [];
    return servicesOf([object, ...(previous === undefined ? [] : [previous])], selectorOf, cache);
  });
}

/** The Services that select one of these states of one pod. */
export function servicesOf(
  states: readonly Pod[],
  selectorOf: (object: Service) => LabelSelector,
  cache: CacheReader,
): readonly ObjectKey[] {
  const candidates = cache.list<Service>(service, states[0]?.metadata.namespace).filter(hasSelector);
  const isMeant = (one: Service): boolean => states.some(({ metadata }) => selectorOf(one).matches(metadata.labels));
  return candidates.filter(isMeant).map((one) => keyOf(one));
}

function shownParts(object: Pod): unknown {
  const { metadata, spec, status } = object;
  const { labels, deletionTimestamp, uid } = metadata;
  const { nodeName, hostname, subdomain } = spec;
  return [labels, deletionTimestamp, uid, nodeName, hostname, subdomain, status?.phase, status?.podIP, status?.podIPs, isReady(object)];
}
