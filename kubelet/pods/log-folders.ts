import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the log folders of a pod, whatever it was called: of one that only the disk still knows, nobody knows the name. */
export async function removeLogFolders(podUid: string, root = '/var/log/pods'): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(`_${podUid}`))) await rm(join(root, name), { recursive: true, force: true });
}
