import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import { cpuQuotaMicros, cpuShares } from './container-resources.ts';
import { type QosClass, qosClass } from './qos.ts';

export interface PodCgroup {
  /** Below the mount of every controller, such as /kubepods/burstable/pod<uid>. */
  readonly path: string;
  readonly qos: QosClass;
  readonly cpuShares: number;
  /** Undefined: no limit, because some container has none. */
  readonly cpuQuotaMicros: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Where a pod's processes are counted, and the limits that hold for all of them together. `root` is --cgroup-root. */
export function podCgroup(pod: Pod, root: string): PodCgroup {
  const qos = qosClass(pod);
  const cpuRequest = podSum(pod, (container) => cpuMillis(container.resources?.requests?.['cpu'] ?? container.resources?.limits?.['cpu']));
  return {
    path: `${qosCgroup(root, qos)}/pod${pod.metadata.uid}`,
    qos,
    cpuShares: qos === 'BestEffort' ? 2 : cpuShares(cpuRequest),
    cpuQuotaMicros: limitOf(
      pod,
      'cpu',
      (text) => cpuQuotaMicros(cpuMillis(text)),
      (text) => cpuMillis(text),
      cpuQuotaMicros,
    ),
    memoryBytes: limitOf(pod, 'memory', quantityBytes, quantityBytes, (bytes) => bytes),
  };
}

/** /kubepods for Guaranteed pods, a folder below it for the others. */
export function qosCgroup(root: string, qos: QosClass): string {
  const base = `${root === '/' ? '' : root.replace(/\/$/, '')}/kubepods`;
  return qos === 'Guaranteed' ? base : `${base}/${qos.toLowerCase()}`;
}

function limitOf(
  pod: Pod,
  resource: 'cpu' | 'memory',
  whole: (text: string) => number,
  amount: (text: string | undefined) => number,
  convert: (sum: number) => number,
): number | undefined {
  const podLevel = pod.spec.resources?.limits?.[resource];
  if (podLevel !== undefined) return whole(podLevel);
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')];
  if (all.some((container) => amount(container.resources?.limits?.[resource]) === 0)) return undefined;
  const initUnlimited = (pod.spec.initContainers ?? []).some((one) => amount(one.resources?.limits?.[resource]) === 0);
  if (initUnlimited) return undefined;
  return convert(podSum(pod, (container) => amount(container.resources?.limits?.[resource])));
}

/**
 * What a pod needs at most at any time: its containers and sidecars together, or an init container with the sidecars that started
 * before it, whichever is more.
 */
export function podSum(pod: Pod, amount: (container: V1Container) => number): number {
  const { containers, initContainers = [] } = pod.spec;
  let sidecars = 0;
  let highest = 0;
  for (const container of initContainers) {
    if (container.restartPolicy === 'Always') sidecars += amount(container);
    highest = Math.max(highest, container.restartPolicy === 'Always' ? sidecars : sidecars + amount(container));
  }
  return Math.max(highest, sidecars + containers.reduce((sum, container) => sum + amount(container), 0));
}
