// The order of eviction (pkg/kubelet/eviction/helpers.go): pods that exceed their requests first, then by priority, lowest first, then by how
// far they exceed their requests. Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import { requestOf } from '../pods/admission.ts';
import { resourceOf, type Signal } from './signals.ts';
import { diskSum, type DiskPart, memorySum, type PodUse, processSum, type UseOf } from './usage.ts';

type Compare = (a: Pod, b: Pod) => number;

/** The pods in the order of their eviction. The sort is stable. */
export function rank(pods: readonly Pod[], useOf: UseOf, signal: Signal, hasImageDisk: boolean): Pod[] {
  return pods.toSorted(inOrder(comparesOf(useOf, signal, hasImageDisk)));
}

/** The parts of a pod's disk usage that lie on the full file system. With a separate image file system, writable layers are on that one. */
export function diskParts(signal: Signal, hasImageDisk: boolean): readonly DiskPart[] {
  if (!hasImageDisk) return ['rootfs', 'logs', 'volumes'];
  return signal.startsWith('nodefs.') ? ['logs', 'volumes'] : ['rootfs'];
}

function comparesOf(useOf: UseOf, signal: Signal, hasImageDisk: boolean): readonly Compare[] {
  const resource = resourceOf(signal);
  if (resource === 'memory') {
    const overRequest = beyond(memorySum, 'memory');
    return [trueFirst(useOf, isPositive(overRequest)), byPriority, mostFirst(useOf, overRequest)];
  }
  if (resource === 'pids') return [byPriority, mostFirst(useOf, processSum)];
  const parts = diskParts(signal, hasImageDisk);
  const used = (use: PodUse): number => diskSum(use, parts, resource === 'inodes' ? 'inodes' : 'usedBytes');
  const overRequest = beyond(used, 'ephemeral-storage');
  // There are no requests for inodes, so a pod that uses any exceeds its request. Like upstream, the excess is compared with the request in bytes.
  return [
    trueFirst(useOf, resource === 'inodes' ? (_, use) => used(use) > 0 : isPositive(overRequest)),
    byPriority,
    mostFirst(useOf, overRequest),
  ];
}

type Measure = (use: PodUse, pod: Pod) => number;

function beyond(used: (use: PodUse) => number, resource: string): Measure {
  return (use, pod) => used(use) - requestOf(pod, resource);
}

function isPositive(measure: Measure): (pod: Pod, use: PodUse) => boolean {
  return (pod, use) => measure(use, pod) > 0;
}

function trueFirst(useOf: UseOf, isSo: (pod: Pod, use: PodUse) => boolean): Compare {
  return measuredLast(useOf, (a, useA, b, useB) => Number(isSo(b, useB)) - Number(isSo(a, useA)));
}

function mostFirst(useOf: UseOf, measure: Measure): Compare {
  return measuredLast(useOf, (a, useA, b, useB) => measure(useB, b) - measure(useA, a));
}

/** A pod of which nothing is known goes before those that were measured. */
function measuredLast(useOf: UseOf, compare: (a: Pod, useA: PodUse, b: Pod, useB: PodUse) => number): Compare {
  return (a, b) => {
    const [useA, useB] = [useOf(a), useOf(b)];
    if (useA !== undefined && useB !== undefined) return compare(a, useA, b, useB);
    return Number(useA !== undefined) - Number(useB !== undefined);
  };
}

function byPriority(a: Pod, b: Pod): number {
  return (a.spec.priority ?? 0) - (b.spec.priority ?? 0);
}

function inOrder(compares: readonly Compare[]): Compare {
  return (a, b) => {
    for (const compare of compares) {
      const result = compare(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };
}
