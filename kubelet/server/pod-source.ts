import type { V1Pod, V1PodStatus } from '#api/generated/types.ts';

/** What the server asks the pods' part of the kubelet. */
export interface PodSource {
  /** All pods of this node, each with the kubelet's newest status. */
  pods(): readonly V1Pod[];
  pod(namespace: string, name: string): V1Pod | undefined;
  /** The kubelet's own newest status, which the API server may not have yet. */
  status(uid: string): V1PodStatus | undefined;
}
