import { isStaticPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { ReferenceRecorder } from '#client/events.ts';

/** Records an event about a pod, or about one of its containers. */
export type PodRecorder = (
  pod: Pod,
  container: string | undefined,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  annotations?: Readonly<Record<string, string>>,
) => void;

/** Gives events the reference that upstream's kubelet gives them: a container is named by its field path. */
export function podRecorder(events: ReferenceRecorder): PodRecorder {
  return (pod, container, type, reason, message, annotations = {}) => {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    // A pod that only the runtime knows has no object that an event could be about. One that the node runs by itself is known by its
    // own uid, by which `kubectl describe` looks for the events of its mirror.
    const isKnown = resourceVersion !== undefined || isStaticPod(pod);
    if (namespace === undefined || namespace === '' || !isKnown) return;
    const reference = {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace,
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(container === undefined ? {} : { fieldPath: fieldPath(pod, container) }),
    };
    events.about(reference, type, reason, message, annotations);
  };
}

function fieldPath({ spec }: Pod, container: string): string {
  const lists = { initContainers: spec.initContainers, ephemeralContainers: spec.ephemeralContainers } as const;
  const list = (['initContainers', 'ephemeralContainers'] as const).find((key) => lists[key]?.some(({ name }) => name === container));
  return `spec.${list ?? 'containers'}{${container}}`;
}
