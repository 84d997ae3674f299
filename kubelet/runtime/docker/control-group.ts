import { readdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

const root = '/sys/fs/cgroup';

/**
 * Removes a pod's control group from every hierarchy once it is empty: the engine makes the parent that a container asks for, and leaves
 * it behind. Only groups of one pod (`…/pod<uid>`); what is still in use stays.
 */
export async function removePodGroup(path: string): Promise<void> {
  if (!path.startsWith('/') || !basename(path).startsWith('pod')) return;
  const hierarchies = await readdir(root).catch(() => []);
  const folders = [join(root, path), ...hierarchies.map((name) => join(root, name, path))];
  await Promise.all(folders.map((folder) => rmdir(folder).catch(() => undefined)));
}
