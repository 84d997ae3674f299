import type { Pod } from '#api/core/pod/pod.ts';
import { isSidecar } from '#api/core/pod/pod-resources.ts';
import type { V1PodSpec } from '#api/generated/types.ts';
import { affinityTermsOf, type PodAffinityTerms } from './pod-affinity-terms.ts';
import { type Resources, requestsOf } from './requests.ts';

export interface HostPort {
  /** '0.0.0.0' is every address. */
  readonly ip: string;
  /** `TCP/8080`. */
  readonly protocolPort: string;
}

/** A pod with what scheduling derives from it, derived once. Never changed; a changed pod is a new PodInfo. */
export interface PodInfo {
  readonly pod: Pod;
  readonly uid: string;
  readonly priority: number;
  readonly requests: Resources;
  /** As `requests`, with a typical amount for containers that state none: for scoring. */
  readonly typicalRequests: Resources;
  readonly hostPorts: readonly HostPort[];
  /** Undefined where the pod has no inter-pod affinity. */
  readonly affinity: PodAffinityTerms | undefined;
}

export function podInfoOf(pod: Pod): PodInfo {
  return {
    pod,
    uid: pod.metadata.uid ?? '',
    priority: pod.spec.priority ?? 0,
    requests: requestsOf(pod.spec, 'as zero', pod.status),
    typicalRequests: requestsOf(pod.spec, 'as typical', pod.status),
    hostPorts: hostPortsOf(pod.spec),
    affinity: affinityTermsOf(pod),
  };
}

const noPorts: readonly HostPort[] = [];

function hostPortsOf(spec: V1PodSpec): readonly HostPort[] {
  let found: HostPort[] | undefined;
  for (const container of [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]) {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (hostPort === undefined || hostPort <= 0) continue;
      found ??= [];
      found.push({ ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP, protocolPort: `${protocol ?? 'TCP'}/${hostPort}` });
    }
  }
  return found ?? noPorts;
}
