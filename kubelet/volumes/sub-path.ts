// A path inside a volume, handed to a container without letting links lead out of the volume (pkg/volume/util/subpath): links are
// resolved once and checked; then the result is walked again folder by folder without following any link, each step from the open
// descriptor of the step before, and what is bound in the end is that last descriptor, not a path.
import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Mounter } from './mounter.ts';

/** O_PATH of Linux, which Node does not name: a descriptor that stands for a place and cannot be read. */
const openPath = 0o10000000;
const stepFlags = openPath | constants.O_NOFOLLOW;

/** A path that leaves its volume. */
export class SubPathError extends Error {
  override readonly name = 'SubPathError';
}

/** Binds `subPath` of the volume at `volumePath` to `target`, making both where they are missing. */
export async function bindSubPath(
  { volumePath, subPath, target }: { readonly volumePath: string; readonly subPath: string; readonly target: string },
  mounter: Mounter,
  signal: AbortSignal,
): Promise<void> {
  refuseAbsolute(subPath);
  await makeInside(await realpath(volumePath), subPath);
  await using source = await openInside(volumePath, subPath);
  await makeTarget(target, (await source.stat()).isDirectory());
  await mounter.bindDescriptor(source.fd, target, signal);
}

/** Opens what `subPath` of a volume leads to, which may be through links inside it; as a place (O_PATH). The caller closes the answer. */
export async function openInside(volumePath: string, subPath: string): Promise<FileHandle> {
  refuseAbsolute(subPath);
  const base = await realpath(volumePath);
  const inside = relative(base, await realpath(join(base, subPath)));
  if (inside.split('/')[0] === '..' || inside.startsWith('/')) {
    throw new SubPathError(`path "${join(volumePath, subPath)}" is outside of allowed path "${volumePath}"`);
  }
  return await descend(base, inside === '' ? [] : inside.split('/'));
}

function refuseAbsolute(subPath: string): void {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new SubPathError(`subPath ${subPath} is not a relative path`);
}

/** Opens a place step by step; a link on the way is an error. The caller closes the answer. */
export async function descend(base: string, steps: readonly string[]): Promise<FileHandle> {
  let at = await open(base, stepFlags);
  for (const step of steps) {
    try {
      const next = await open(`/proc/self/fd/${at.fd}/${step}`, stepFlags);
      if ((await next.stat()).isSymbolicLink()) {
        await next.close();
        throw new SubPathError(`${join(base, ...steps)}: a link stands in the way at ${step}`);
      }
      await at.close();
      at = next;
    } catch (error) {
      await at.close();
      throw error;
    }
  }
  return at;
}

/** Makes missing folders of `subPath` as the volume itself is: what exists may be reached through links, but only inside `base`. */
async function makeInside(base: string, subPath: string): Promise<void> {
  const { mode } = await stat(base);
  let place = base;
  for (const step of subPath.split('/').filter((one) => one !== '' && one !== '.')) {
    const next = join(place, step);
    const resolved = await realpath(next).catch(() => undefined);
    if (resolved !== undefined && resolved !== base && !resolved.startsWith(`${base}/`)) {
      throw new SubPathError(`path "${next}" is outside of allowed path "${base}"`);
    }
    if (resolved === undefined) await makeFolder(base, place, step, mode & 0o7777);
    place = resolved ?? next;
  }
}

/** Makes a folder in `parent`, which is `base` or lies in it. What has become a link since it was resolved is an error. */
export async function makeFolder(base: string, parent: string, name: string, mode: number): Promise<void> {
  const inside = relative(base, parent);
  const folder = await descend(base, inside === '' ? [] : inside.split('/'));
  try {
    const place = `/proc/self/fd/${folder.fd}`;
    await mkdir(`${place}/${name}`, { mode });
    const made = await open(`${place}/${name}`, stepFlags | constants.O_DIRECTORY);
    try {
      // The mask of this process must not count: whoever may write to the volume may write here.
      await chmod(`/proc/self/fd/${made.fd}`, mode);
    } finally {
      await made.close();
    }
  } finally {
    await folder.close();
  }
}

/** What a mount goes over: a folder or a file, where nothing is yet. */
export async function makeTarget(target: string, isFolder: boolean): Promise<void> {
  await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o750 });
  if (!isFolder) await writeFile(target, '', { flag: 'a', mode: 0o640 });
}
