// What pods use of what a node runs out of, as ranking and messages see it.
import type { Pod } from '#api/core/pod/pod.ts';

export interface DiskAmount {
  readonly usedBytes: number;
  readonly inodes: number;
}

export interface ContainerUse {
  readonly name: string;
  /** Undefined: not measured. */
  readonly memoryBytes?: number;
  readonly processes?: number;
  /** Written outside of volumes. */
  readonly rootfs?: DiskAmount;
  readonly logs?: DiskAmount;
}

export interface VolumeUse extends DiskAmount {
  readonly name: string;
}

export interface PodUse {
  readonly containers: readonly ContainerUse[];
  /** Of volumes on this node's disk. */
  readonly volumes: readonly VolumeUse[];
}

/** What could not be measured is absent. */
export type UseOf = (pod: Pod) => PodUse | undefined;

/** Parts of a pod's use of disks: what its containers wrote beside volumes, their logs, its local volumes. */
export type DiskPart = 'rootfs' | 'logs' | 'volumes';

/** The sum of those parts. */
export function diskSum({ containers, volumes }: PodUse, parts: readonly DiskPart[], what: keyof DiskAmount): number {
  const own = containers.reduce((sum, { rootfs, logs }) => {
    const written = parts.includes('rootfs') ? (rootfs?.[what] ?? 0) : 0;
    return sum + written + (parts.includes('logs') ? (logs?.[what] ?? 0) : 0);
  }, 0);
  return own + (parts.includes('volumes') ? volumes.reduce((sum, volume) => sum + volume[what], 0) : 0);
}

export function memorySum({ containers }: PodUse): number {
  return containers.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
}

export function processSum({ containers }: PodUse): number {
  return containers.reduce((sum, { processes = 0 }) => sum + processes, 0);
}
