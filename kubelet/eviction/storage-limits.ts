// Which pods write more to the node's disk than they may (pkg/kubelet/eviction: localStorageEviction). Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import { podLimits } from '#api/core/pod/pod-resources.ts';
import { amountOf, canonicalQuantity, quantityBytes } from '#api/meta/quantity.ts';
import { diskSum, type PodUse } from './usage.ts';

/** Which kind of limit it was, as metrics name it, and what the pod's status says. */
interface StorageExcess {
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  readonly message: string;
}

const resource = 'ephemeral-storage';

/** Whether anything limits what this pod writes: only such pods must be measured. */
export function hasStorageLimit({ spec }: Pod): boolean {
  const hasLimit = [...spec.containers, ...(spec.initContainers ?? [])].some(
    ({ resources }) => amountOf(resources?.limits, resource) !== undefined,
  );
  return hasLimit || (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);
}

/** The first limit that the pod exceeds. With a disk of their own for images, what containers write lies there and does not count. */
export function storageExcess(pod: Pod, use: PodUse, hasImageDisk: boolean): StorageExcess | undefined {
  return volumeExcess(pod, use) ?? podExcess(pod, use, hasImageDisk) ?? containerExcess(pod, use, hasImageDisk);
}

function volumeExcess({ spec }: Pod, { volumes }: PodUse): StorageExcess | undefined {
  for (const { name, emptyDir } of spec.volumes ?? []) {
    const limit = quantityBytes(emptyDir?.sizeLimit);
    const used = volumes.find((one) => one.name === name)?.usedBytes ?? 0;
    if (limit <= 0 || used <= limit) continue;
    const size = canonicalQuantity(emptyDir?.sizeLimit ?? '0');
    return {
      signal: 'emptydirfs.limit',
      message: `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(size)}. `,
    };
  }
  return undefined;
}

function podExcess({ spec }: Pod, use: PodUse, hasImageDisk: boolean): StorageExcess | undefined {
  const limit = amountOf(podLimits(spec), resource);
  if (limit === undefined) return undefined;
  const used = diskSum(use, hasImageDisk ? ['logs', 'volumes'] : ['rootfs', 'logs', 'volumes'], 'usedBytes');
  if (used <= quantityBytes(limit)) return undefined;
  const message = `Pod ephemeral local storage usage exceeds the total limit of containers ${canonicalQuantity(limit)}. `;
  return { signal: 'ephemeralpodfs.limit', message };
}

function containerExcess({ spec }: Pod, { containers }: PodUse, hasImageDisk: boolean): StorageExcess | undefined {
  for (const { name, rootfs, logs } of containers) {
    const limit = amountOf(spec.containers.find((one) => one.name === name)?.resources?.limits, resource);
    if (limit === undefined || quantityBytes(limit) === 0) continue;
    const used = (logs?.usedBytes ?? 0) + (hasImageDisk ? 0 : (rootfs?.usedBytes ?? 0));
    if (used <= quantityBytes(limit)) continue;
    const text = JSON.stringify(canonicalQuantity(limit));
    return { signal: 'ephemeralcontainerfs.limit', message: `Container ${name} exceeded its local ephemeral storage limit ${text}. ` };
  }
  return undefined;
}
