// Where log collectors look, as upstream: a link for each start under /var/log/pods to the engine's own file, and one under
// /var/log/containers to that, whose name says all that a collector wants to know. Nothing else needs them.
import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InspectedContainer } from './inspection.ts';
import { decodeLabels, logPathLabel } from './names.ts';

const nameBytes = 255;
const suffix = '.log';

/** `<pod>_<namespace>_<container>-<id>.log`, cut where a file's name would be too long. */
export function collectorName(pod: { readonly name: string; readonly namespace: string }, container: string, id: string): string {
  return `${pod.name}_${pod.namespace}_${container}-${id}`.slice(0, nameBytes - suffix.length) + suffix;
}

/** Makes the links of a container that has started; nothing where its log has no place. */
export async function linkLog(raw: InspectedContainer, folder = '/var/log/containers'): Promise<void> {
  const links = linksOf(raw, folder);
  if (links === undefined || raw.LogPath === '') return;
  await link(raw.LogPath, links.byPod);
  await link(links.byPod, links.byName);
}

export async function unlinkLog(raw: InspectedContainer, folder = '/var/log/containers'): Promise<void> {
  const links = linksOf(raw, folder);
  for (const path of links === undefined ? [] : [links.byName, links.byPod]) await rm(path, { force: true });
}

function linksOf({ Id, Config }: InspectedContainer, folder: string): { byPod: string; byName: string } | undefined {
  const byPod = Config.Labels[logPathLabel];
  const identity = decodeLabels(Config.Labels);
  if (byPod === undefined || identity === undefined) return undefined;
  return { byPod, byName: join(folder, collectorName(identity.pod, identity.container, Id)) };
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(target, path);
}
