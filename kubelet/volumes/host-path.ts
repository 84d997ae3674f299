import { mkdir, open, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { V1HostPathVolumeSource } from '#api/generated/types.ts';

const checks: Readonly<Record<string, { readonly is: (stats: Stats) => boolean; readonly word: string }>> = {
  Directory: { is: (stats) => stats.isDirectory(), word: 'a directory' },
  DirectoryOrCreate: { is: (stats) => stats.isDirectory(), word: 'a directory' },
  File: { is: (stats) => stats.isFile(), word: 'a file' },
  FileOrCreate: { is: (stats) => stats.isFile(), word: 'a file' },
  Socket: { is: (stats) => stats.isSocket(), word: 'a socket file' },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), word: 'a character device' },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), word: 'a block device' },
};

/** Makes a folder where a path of no type has nothing yet, as upstream's runtimes do when they start a container. */
export async function makeHostPath({ path, type = '' }: V1HostPathVolumeSource): Promise<void> {
  if (type === '' && (await stat(path).catch(() => undefined)) === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
}

/** Checks that a path of the host is what the volume says, or makes it where the volume says so. Throws in upstream's words. */
export async function checkHostPath({ path, type = '' }: V1HostPathVolumeSource): Promise<void> {
  if (type === '') return;
  const check = checks[type];
  if (check === undefined) throw new Error(`${type} is an invalid volume type`);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined && type === 'DirectoryOrCreate') {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (stats === undefined && type === 'FileOrCreate') {
    // Its folder is not: a pod must not come to write beside what it meant.
    await (await open(path, 'a', 0o644)).close();
    return;
  }
  if (stats === undefined || !check.is(stats)) throw new Error(`hostPath type check failed: ${path} is not ${check.word}`);
}
