import { isNodeCriticalPod } from '#api/core/pod/critical.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { aggregateContainers, isSidecar } from '#api/core/pod/pod-resources.ts';
import type { V1Container } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import type { ContainerResources } from '../../runtime/contract.ts';
import { qosClass } from './qos.ts';

const minShares = 2;
const maxShares = 262_144;
const periodMicros = 100_000;
const minQuotaMicros = 1_000;

interface NodeCapacity {
  readonly memoryBytes: number;
}

/** A container's CPU and memory limits and OOM score, as the kernel takes them. */
export function containerResources(pod: Pod, container: V1Container, node: NodeCapacity): ContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  // What only the pod is limited to, each of its containers is: that is what its processes see.
  const whole = pod.spec.resources?.limits ?? {};
  const limitMillis = cpuMillis(limits['cpu']) || cpuMillis(whole['cpu']);
  const memoryBytes = quantityBytes(limits['memory']) || quantityBytes(whole['memory']);
  return {
    cpuShares: cpuShares(requests['cpu'] === undefined ? limitMillis : cpuMillis(requests['cpu'])),
    ...(limitMillis > 0 ? { cpuPeriodMicros: periodMicros, cpuQuotaMicros: cpuQuotaMicros(limitMillis) } : {}),
    ...(memoryBytes > 0 ? { memoryBytes } : {}),
    oomScoreAdj: oomScoreAdj(pod, container, node),
  };
}

/** 1024 shares a core, within what the kernel takes. */
export function cpuShares(millis: number): number {
  if (millis === 0) return minShares;
  return Math.min(maxShares, Math.max(minShares, Math.trunc((millis * 1_024) / 1_000)));
}

/** CPU time in each period of 100 ms. */
export function cpuQuotaMicros(millis: number): number {
  return Math.max(minQuotaMicros, Math.trunc((millis * periodMicros) / 1_000));
}

const guaranteedScore = -997;
const bestEffortScore = 1_000;

/**
 * Guaranteed and node-critical pods -997, BestEffort 1000, between them the less memory asked for, the sooner (pkg/kubelet/qos/policy.go).
 * What a pod asks for beyond its containers is shared among them; a sidecar does not go before what it serves.
 */
function oomScoreAdj(pod: Pod, container: V1Container, node: NodeCapacity): number {
  const qos = qosClass(pod);
  if (isNodeCriticalPod(pod) || qos === 'Guaranteed') return guaranteedScore;
  if (qos === 'BestEffort') return bestEffortScore;
  const share = unclaimedBytes(pod);
  const scoreOf = (bytes: number): number => 1_000 - Math.trunc((1_000 * (bytes + share)) / Math.max(1, node.memoryBytes));
  const own = scoreOf(requestBytes(container));
  const served = isSidecarOf(pod, container) ? scoreOf(Math.min(...pod.spec.containers.map(requestBytes))) : own;
  // Guaranteed ones must be killed later than burstable ones, and best-effort ones sooner.
  return Math.min(bestEffortScore - 1, Math.max(1_000 + guaranteedScore, Math.min(own, served)));
}

function requestBytes({ resources }: V1Container): number {
  return quantityBytes(resources?.requests?.['memory']);
}

/** Each container's share of the memory that only the pod as a whole asks for. */
function unclaimedBytes({ spec }: Pod): number {
  const wholeBytes = quantityBytes(spec.resources?.requests?.['memory']);
  if (wholeBytes === 0) return 0;
  const count = spec.containers.length + (spec.initContainers ?? []).length;
  return Math.trunc((wholeBytes - quantityBytes(aggregateContainers(spec, 'requests')['memory'])) / count);
}

function isSidecarOf({ spec }: Pod, container: V1Container): boolean {
  return isSidecar(container) && (spec.initContainers ?? []).some(({ name }) => name === container.name);
}

/** The weight of cgroup v2 for shares of v1: 2 to 262,144 become 1 to 10,000. */
export function cpuWeight(shares: number): number {
  return 1 + Math.trunc(((shares - 2) * 9_999) / 262_142);
}
