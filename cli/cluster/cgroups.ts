import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the kubelet puts pods' cgroups, by both of Docker's cgroup drivers. */
const podCgroups = ['kubepods', 'kubepods.slice'];

/** Removes the folders that pods' containers had in each hierarchy of cgroups (v1), or in the one (v2). What is busy stays. */
export async function removePodCgroups(mount = '/sys/fs/cgroup'): Promise<void> {
  const entries = await readdir(mount, { withFileTypes: true }).catch(() => []);
  // Links such as cpu -> cpu,cpuacct lead to what is visited anyway.
  const hierarchies = [mount, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(mount, name))];
  for (const hierarchy of hierarchies) for (const name of podCgroups) await removeTree(join(hierarchy, name));
}

/** A cgroup's files cannot be removed, its folders can, children first. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}
