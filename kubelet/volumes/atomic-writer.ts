// Replaces the files of a volume all at once, in upstream's layout (pkg/volume/util/atomic_writer.go):
//   <volume>/..2026_01_01_00_00_00.123456789/key    the files themselves
//   <volume>/..data -> ..2026_01_01_00_00_00.123456789
//   <volume>/key -> ..data/key
// A container that reads sees either all old or all new files: the one step that changes anything for it is a rename of ..data.
import { randomInt } from 'node:crypto';
import { chmod, lchown, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/** One file to be. */
export interface FileProjection {
  readonly data: Uint8Array;
  readonly mode: number;
  /** Owner; undefined is root. */
  readonly user?: number;
}

/** Relative paths to files. */
export type Payload = ReadonlyMap<string, FileProjection>;

const dataLink = '..data';
const newDataLink = '..data_tmp';
const maxPathLength = 4_096;

/** Files that no volume may hold. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/** Brings the volume at `folder` to exactly `payload`. True when anything changed. `finish` works on the new files before they show. */
export async function writePayload(
  folder: string,
  payload: Payload,
  nowMs: number,
  finish: (newFolder: string) => Promise<void>,
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  const oldName = await readlink(join(folder, dataLink)).catch(() => undefined);
  const oldFiles = oldName === undefined ? [] : await filesBelow(join(folder, oldName));
  if (oldName !== undefined && (await isSame(join(folder, oldName), oldFiles, payload))) {
    await linkTops(folder, payload);
    return false;
  }
  const newName = `..${stamp(nowMs)}.${randomInt(1_000_000_000)}`;
  const newFolder = join(folder, newName);
  await mkdir(newFolder, { mode: 0o755 });
  await chmod(newFolder, 0o755);
  for (const [path, file] of payload) await writeOne(join(newFolder, path), file);
  await finish(newFolder);
  await rm(join(folder, newDataLink), { force: true });
  await symlink(newName, join(folder, newDataLink));
  await rename(join(folder, newDataLink), join(folder, dataLink));
  await linkTops(folder, payload);
  await unlinkTops(folder, payload);
  // Not only the last one: a crash may have left others.
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') && name !== dataLink && name !== newName) await rm(join(folder, name), { recursive: true, force: true });
  }
  return true;
}

function checkPath(path: string): void {
  const clean = normalize(path);
  if (path === '' || path.startsWith('/') || path.length > maxPathLength)
    throw new PayloadError(`invalid path: must be relative path: ${path}`);
  if (clean.split('/').includes('..')) throw new PayloadError(`invalid path: must not contain '..': ${path}`);
  if (clean.startsWith('..')) throw new PayloadError(`invalid path: must not start with '..': ${path}`);
}

async function writeOne(path: string, { data, mode, user }: FileProjection): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, data, { mode });
  // The mask of this process must not count.
  await chmod(path, mode);
  if (user !== undefined) await lchown(path, user, -1);
}

async function isSame(folder: string, files: readonly string[], payload: Payload): Promise<boolean> {
  if (files.length !== payload.size) return false;
  for (const path of files) {
    const wanted = payload.get(path);
    if (wanted === undefined || !(await readFile(join(folder, path))).equals(wanted.data)) return false;
    // fsGroup adds bits of its own, so only what the owner may do is compared.
    if (((await stat(join(folder, path))).mode & 0o700) !== (wanted.mode & 0o700)) return false;
  }
  return true;
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => [])) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(folder, path)));
    else files.push(path);
  }
  return files;
}

function tops(payload: Payload): Set<string> {
  return new Set([...payload.keys()].map((path) => normalize(path).split('/')[0] ?? ''));
}

async function linkTops(folder: string, payload: Payload): Promise<void> {
  const present = new Set(await readdir(folder));
  for (const name of tops(payload)) if (!present.has(name)) await symlink(join(dataLink, name), join(folder, name));
}

async function unlinkTops(folder: string, payload: Payload): Promise<void> {
  const wanted = tops(payload);
  for (const name of await readdir(folder)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** 2026_01_31_23_59_59 */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
}
