// The node agent's folders are upstream's, so others may have put things there: another kubelet before us, log collectors. What lay there
// before the first start is written down then, and stays at the end.
import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that the node agent shares with whoever was there before. */
export const sharedFolders: readonly string[] = ['/var/lib/kubelet', '/var/lib/kubelet/pods', '/var/log/pods', '/var/log/containers'];

/** Those of the folders that exist, and what is in them. */
export function listForeign(folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) => {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  });
}

/** Removes what lies in the folders but for the `foreign` paths, and the folders that are then empty and not foreign themselves. */
export function removeOwn(folders: readonly string[], foreign: readonly string[]): void {
  // Inner folders first: an outer one is left standing by what is kept inside.
  for (const folder of folders.toSorted((a, b) => b.length - a.length)) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (!isForeign(path, foreign)) rmSync(path, { recursive: true, force: true });
    }
    if (!isForeign(folder, foreign) && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

/** True for foreign paths and for folders that hold one. */
function isForeign(path: string, foreign: readonly string[]): boolean {
  return foreign.some((one) => one === path || one.startsWith(`${path}/`));
}
