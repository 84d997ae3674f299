import type { Stats } from 'node:fs';
import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const setgid = 0o2000;

/**
 * Gives a volume and all in it to a group (pkg/volume/volume_linux.go): the group may read, and write unless `readOnly`; what is
 * made in its folders later belongs to the group too. Links are given away, never followed.
 */
export async function giveToGroup(path: string, group: number, readOnly: boolean): Promise<void> {
  const stats = await lstat(path);
  await lchown(path, -1, group);
  if (stats.isSymbolicLink()) return;
  await chmod(path, groupMode(stats, readOnly));
  if (!stats.isDirectory()) return;
  for (const name of await readdir(path)) await giveToGroup(join(path, name), group, readOnly);
}

function groupMode(stats: Stats, readOnly: boolean): number {
  const mode = (stats.mode & 0o7777) | (readOnly ? 0o440 : 0o660);
  return stats.isDirectory() ? mode | setgid | 0o110 : mode;
}
