import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes the log folders of a pod, whatever it was called: of one that is known from the disk only, the name is unknown. Links into
 * them go too, which containers leave behind that others than the kubelet removed.
 */
export async function removeLogFolders(podUid: string, root = '/var/log/pods', links = '/var/log/containers'): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(`_${podUid}`))) {
    const folder = join(root, name);
    await rm(folder, { recursive: true, force: true });
    const [namespace, pod] = name.split('_');
    const ours = (await readdir(links).catch(() => [])).filter((one) => one.startsWith(`${pod}_${namespace}_`));
    for (const link of ours.map((one) => join(links, one))) {
      const target = await readlink(link).catch(() => '');
      if (target.startsWith(`${folder}/`)) await rm(link, { force: true });
    }
  }
}
