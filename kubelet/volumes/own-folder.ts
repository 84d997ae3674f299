// The folder of a volume that the kubelet makes itself. INVARIANT: what lies at its path is whole, whenever the kubelet is killed: rights
// and group are given beside it, or come with the mount, since what is there already is never given them again (containers may change
// them).
import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { podLimits } from '#api/core/pod/pod-resources.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Volume } from '#api/generated/types.ts';
import { quantityBytes } from '#api/meta/quantity.ts';
import type { Allocatable } from '../pods/env/resource-ref.ts';
import { giveToGroup } from './ownership.ts';

/** Creates a world-writable folder on the node's disk if it is missing. `group`: its owner. */
export async function makeDiskFolder(path: string, group: number | undefined): Promise<void> {
  if (await isThere(path)) return;
  // A name that no volume can have.
  const unfinished = join(dirname(path), `.${basename(path)}.new`);
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  await chmod(unfinished, 0o777);
  if (group !== undefined) await giveToGroup(unfinished, group, false);
  await rename(unfinished, path);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** True for volumes that live in memory: asked for, or because their content must not reach a disk. */
export function isInMemory({ secret, projected, downwardAPI, emptyDir }: V1Volume): boolean {
  return (secret ?? projected ?? downwardAPI) !== undefined || emptyDir?.medium === 'Memory';
}

/**
 * How large such a volume may grow: no larger than the pod's memory, or the node's for all pods (pkg/volume/emptydir). Undefined where
 * nothing is known of either.
 */
export function memorySizeBytes(pod: Pod, { emptyDir }: V1Volume, allocatable: Allocatable): number | undefined {
  const limits = [allocatable['memory'], podMemoryLimit(pod), emptyDir?.sizeLimit].map(quantityBytes).filter((bytes) => bytes > 0);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Undefined where anything of the pod has no limit: the pod has none as a whole then. */
function podMemoryLimit({ spec }: Pod): string | undefined {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const isLimited = spec.resources?.limits?.['memory'] !== undefined || all.every(({ resources }) => resources?.limits?.['memory']);
  return isLimited ? podLimits(spec)['memory'] : undefined;
}

/** Options of a file system of huge pages, of the one size that the pod asks for, or that the medium names (`HugePages-2Mi`). Throws. */
export function hugePageOptions({ spec }: Pod, medium: string, group: number | undefined): readonly string[] {
  const [, named] = /^HugePages-(.+)$/.exec(medium) ?? [];
  const parts = [...spec.containers, ...(spec.initContainers ?? []), { resources: spec.resources }];
  const names = parts.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  const sizes = new Set(names.flatMap((name) => (name.startsWith('hugepages-') ? quantityBytes(name.slice('hugepages-'.length)) : [])));
  const fitting = [...sizes].filter((bytes) => named === undefined || bytes === quantityBytes(named));
  if (fitting.length > 1) throw new Error(`medium: ${medium} can't be used if container requests multiple huge page sizes`);
  const [bytes] = fitting;
  if (bytes === undefined) throw new Error('hugePages storage requested, but there is no resource request for huge pages.');
  return [`pagesize=${bytes / 1_024}K`, 'mode=0777', ...(group === undefined ? [] : [`gid=${group}`])];
}
