import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes } from '#api/meta/quantity.ts';
import { cpuQuotaMicros, cpuShares } from './container-resources.ts';
import { type QosClass, qosClass } from './qos.ts';

export interface PodCgroup {
  /** Below the mount of every controller, such as /kubepods/burstable/pod<uid>. */
  readonly path: string;
  /** What the engine is given as the parent: the path, or under systemd the slice. */
  readonly parent: string;
  readonly qos: QosClass;
  readonly cpuShares: number;
  /** Undefined: no limit, because some container has none. */
  readonly cpuQuotaMicros: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Where a pod's processes are counted, and the limits that hold for all of them together. `root` is --cgroup-root. */
export function podCgroup(pod: Pod, root: string, driver: CgroupDriver = 'cgroupfs'): PodCgroup {
  const qos = qosClass(pod);
  return {
    ...placeOf(`${qosPath(root, qos)}/pod${pod.metadata.uid}`, driver),
    qos,
    cpuShares: qos === 'BestEffort' ? 2 : cpuShares(cpuRequestMillis(pod)),
    cpuQuotaMicros: limitOf(pod, 'cpu', cpuMillis, cpuQuotaMicros),
    memoryBytes: limitOf(pod, 'memory', quantityBytes, (bytes) => bytes),
  };
}

/** What a pod asks for as a whole, or else its containers together, with what its runtime class costs. */
export function cpuRequestMillis(pod: Pod): number {
  const own = podSum(pod, (container) => cpuMillis(container.resources?.requests?.['cpu'] ?? container.resources?.limits?.['cpu']));
  const podLevel = pod.spec.resources?.requests?.['cpu'];
  return (podLevel === undefined ? own : cpuMillis(podLevel)) + cpuMillis(pod.spec.overhead?.['cpu']);
}

export type CgroupDriver = 'cgroupfs' | 'systemd';

/** Where the pods of a class lie: /kubepods for Guaranteed ones, below it the others. */
export function qosCgroup(root: string, qos: QosClass, driver: CgroupDriver = 'cgroupfs'): CgroupPlace {
  return placeOf(qosPath(root, qos), driver);
}

type CgroupPlace = Pick<PodCgroup, 'path' | 'parent'>;

/**
 * Under systemd, a path is a slice: its steps in a row, a hyphen inside of a step written as `_`, and the slice lies inside of those that its
 * name starts with (pkg/kubelet/cm/cgroup_manager_linux.go).
 */
export function placeOf(path: string, driver: CgroupDriver): CgroupPlace {
  if (driver === 'cgroupfs') return { path, parent: path };
  const steps = path
    .split('/')
    .filter((step) => step !== '')
    .map((step) => step.replaceAll('-', '_'));
  const slices = steps.map((_, at) => `${steps.slice(0, at + 1).join('-')}.slice`);
  return { path: `/${slices.join('/')}`, parent: slices.at(-1) ?? '-.slice' };
}

function qosPath(root: string, qos: QosClass): string {
  const base = `${root === '/' ? '' : root.replace(/\/$/, '')}/kubepods`;
  return qos === 'Guaranteed' ? base : `${base}/${qos.toLowerCase()}`;
}

function limitOf(
  pod: Pod,
  resource: 'cpu' | 'memory',
  amount: (text: string | undefined) => number,
  convert: (sum: number) => number,
): number | undefined {
  const podLevel = pod.spec.resources?.limits?.[resource];
  const overhead = amount(pod.spec.overhead?.[resource]);
  if (podLevel !== undefined) return convert(amount(podLevel) + overhead);
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')];
  if (all.some((container) => amount(container.resources?.limits?.[resource]) === 0)) return undefined;
  const initUnlimited = (pod.spec.initContainers ?? []).some((one) => amount(one.resources?.limits?.[resource]) === 0);
  if (initUnlimited) return undefined;
  return convert(podSum(pod, (container) => amount(container.resources?.limits?.[resource])) + overhead);
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
