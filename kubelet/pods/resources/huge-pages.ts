// How much of the machine's huge pages a pod may take: what it asks for of each size, and none of those it does not ask for.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import { quantityBytes } from '#api/meta/quantity.ts';
import { podSum } from './pod-cgroup.ts';

const prefix = 'hugepages-';
const limitFile = /^hugetlb\.([0-9]+)([KMG])B\.(limit_in_bytes|max)$/;
const unitBytes: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes by the size of their pages. */
export function hugePageLimits(pod: Pod): ReadonlyMap<number, number> {
  const whole = pod.spec.resources;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? []), { resources: whole }];
  const names = new Set(all.flatMap(({ resources }) => Object.keys({ ...resources?.limits, ...resources?.requests })));
  return new Map(
    [...names]
      .filter((name) => name.startsWith(prefix))
      .map((name): [number, number] => {
        const ofPod = whole?.requests?.[name] ?? whole?.limits?.[name];
        const bytes =
          ofPod === undefined
            ? podSum(pod, ({ resources }) => quantityBytes(resources?.requests?.[name] ?? resources?.limits?.[name]))
            : quantityBytes(ofPod);
        return [quantityBytes(name.slice(prefix.length)), bytes];
      }),
  );
}

/** Sets the limits of every size that the kernel has in a cgroup's folder; where it has none, there is nothing to hold a pod to. */
export async function limitHugePages(folder: string, limits: ReadonlyMap<number, number>): Promise<void> {
  for (const file of await readdir(folder).catch(() => [])) {
    const [, count, unit = ''] = limitFile.exec(file) ?? [];
    if (count !== undefined) await writeFile(join(folder, file), String(limits.get(Number(count) * (unitBytes[unit] ?? 0)) ?? 0));
  }
}
