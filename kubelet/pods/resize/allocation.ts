// What the node has set aside for a pod, as opposed to what its spec asks for since a resize, and whether it may have more. Pure.
// (pkg/kubelet/allocation/allocation_manager.go)
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ResourceRequirements } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import { lackOf, type Rejection, requestOf } from '../admission.ts';
import { qosClass } from '../resources/qos.ts';

/** What a node has promised a pod: the resources of its spec at the time it was admitted or last resized. */
export interface Allocation {
  /** metadata.generation of that spec. */
  readonly generation: number;
  /** By container, init containers among them. */
  readonly containers: Readonly<Record<string, V1ResourceRequirements>>;
  /** Of the pod as a whole, where its spec says so. */
  readonly pod?: V1ResourceRequirements;
}

export function allocationOf({ metadata, spec }: Pod): Allocation {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  return {
    generation: metadata.generation ?? 0,
    containers: Object.fromEntries(all.map(({ name, resources }) => [name, resources ?? {}])),
    ...(spec.resources === undefined ? {} : { pod: spec.resources }),
  };
}

/** The pod with what was set aside for it in place of what it asks for; the same object where nothing differs. */
export function withAllocation(pod: Pod, allocation: Allocation | undefined): Pod {
  if (allocation === undefined || !isResized(pod, allocation)) return pod;
  const { resources: _, ...spec } = pod.spec;
  const taken = (container: V1Container): V1Container => {
    const resources = allocation.containers[container.name];
    return resources === undefined ? container : { ...container, resources };
  };
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(taken),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(taken) }),
      ...(allocation.pod === undefined ? {} : { resources: allocation.pod }),
    },
  };
}

/** True when the spec asks for other amounts than were set aside. */
export function isResized(pod: Pod, allocation: Allocation): boolean {
  const asked = allocationOf(pod);
  return !equalValues({ ...asked, generation: 0 }, { ...allocation, generation: 0 });
}

/** Why a resize has to wait: for room on the node (Deferred), or until it asks for less than the whole node has (Infeasible). */
export interface PendingResize extends Rejection {
  readonly reason: 'Deferred' | 'Infeasible';
}

/** Undefined: there is room for what the pod asks for. `active` are the other pods with what was set aside for them. */
export function judgeResize(pod: Pod, node: Node, active: readonly Pod[]): PendingResize | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const limits = [
    ['memory', quantityBytes(allocatable['memory'])],
    ['cpu', cpuMillis(allocatable['cpu'])],
  ] as const;
  for (const [name, capacity] of limits) {
    const requested = requestOf(pod, name);
    if (requested <= capacity) continue;
    return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}` };
  }
  const lack = lackOf(pod, node, active);
  return lack === undefined ? undefined : { reason: 'Deferred', message: lack.message };
}

/** What an event about a resize says: these words, and in JSON what the pod asks for. */
export function resizeMessage(words: string, { metadata, spec }: Pod, error?: string): string {
  const list = (containers: readonly V1Container[]): object[] =>
    containers.map(({ name, resources }) => ({ name, resources: inOrder(resources) }));
  const summary = {
    ...((spec.initContainers ?? []).length === 0 ? {} : { initContainers: list(spec.initContainers ?? []) }),
    containers: list(spec.containers),
    generation: metadata.generation ?? 0,
    ...(error === undefined ? {} : { error }),
  };
  return `${words}: ${JSON.stringify(summary)}`;
}

/** As upstream writes it: limits before requests, names by the alphabet. */
function inOrder({ limits, requests, ...rest }: V1ResourceRequirements = {}): V1ResourceRequirements {
  const sorted = (amounts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(amounts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...(limits === undefined ? {} : { limits: sorted(limits) }),
    ...(requests === undefined ? {} : { requests: sorted(requests) }),
    ...rest,
  };
}

const qosRanks = { Guaranteed: 0, Burstable: 1, BestEffort: 2 };

/** Who is asked first when room becomes free: by priority, then by quality of service, then who waits longer. */
export function compareWaiting(left: Waiter, right: Waiter): number {
  return (
    (right.pod.spec.priority ?? 0) - (left.pod.spec.priority ?? 0) ||
    qosRanks[qosClass(left.pod)] - qosRanks[qosClass(right.pod)] ||
    left.sinceMs - right.sinceMs
  );
}

export interface Waiter {
  readonly pod: Pod;
  /** Since when it waits. */
  readonly sinceMs: number;
}
