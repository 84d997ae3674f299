import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import type { ContainerResources } from '../../runtime/contract.ts';
import { qosClass } from './qos.ts';

const minShares = 2;
const maxShares = 262_144;
const periodMicros = 100_000;
const minQuotaMicros = 1_000;
const systemCriticalPriority = 2_000_000_000;

export interface NodeCapacity {
  readonly memoryBytes: number;
}

/** What the kernel is told about a container's CPU, memory and how soon it may be killed for want of memory. */
export function containerResources(pod: Pod, container: V1Container, node: NodeCapacity): ContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const limitMillis = cpuMillis(limits['cpu']);
  const requestMillis = cpuMillis(requests['cpu']);
  const memoryBytes = quantityBytes(limits['memory']);
  return {
    cpuShares: cpuShares(requestMillis === 0 ? limitMillis : requestMillis),
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

/** Guaranteed −997, BestEffort 1000, between them the less memory asked for, the sooner (pkg/kubelet/qos/policy.go). */
export function oomScoreAdj(pod: Pod, container: V1Container, node: NodeCapacity): number {
  if ((pod.spec.priority ?? 0) >= systemCriticalPriority) return -997;
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1_000;
  const requestBytes = quantityBytes(container.resources?.requests?.['memory']);
  const adjusted = 1_000 - Math.trunc((1_000 * requestBytes) / Math.max(1, node.memoryBytes));
  // Guaranteed ones must be killed later than burstable ones, and best-effort ones sooner.
  if (adjusted < 1_000 + -997) return 1_000 + -997;
  return adjusted === 1_000 ? 999 : adjusted;
}

/** The weight of cgroup v2 for shares of v1: 2 to 262,144 become 1 to 10,000. */
export function cpuWeight(shares: number): number {
  return 1 + Math.trunc(((shares - 2) * 9_999) / 262_142);
}
