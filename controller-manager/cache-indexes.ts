// How objects are found in this process's caches besides by key, namespace and owner. An event must cost what it changes, not a walk
// through all pods of a cluster.
import type { Pod } from '#api/core/pod/pod.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';

/** Pods, by the name of the node that they are bound to. */
export const byNode = 'node';
/** Objects without a controlling owner, by namespace: what a selector may take in. */
export const byLackOfController = 'no controller';
/** EndpointSlices, by the `namespace/name` of the Service that they say they belong to. */
export const byService = 'service';

/** The label by which an EndpointSlice names its Service. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export function nodeOf({ spec }: Pod): readonly string[] {
  return spec.nodeName === undefined || spec.nodeName === '' ? [] : [spec.nodeName];
}

export function namespaceIfUncontrolled(object: KubeObject): readonly string[] {
  return findController(object) === undefined ? [object.metadata.namespace ?? ''] : [];
}

export function serviceOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}
