import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readVolumeFile } from './volume-file.ts';

let root: string;
let volume: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'volume-file-'));
  volume = join(root, 'volume');
  await mkdir(join(volume, 'folder'), { recursive: true });
  await writeFile(join(root, 'secret'), 'of the host');
  await writeFile(join(volume, 'folder', 'file'), 'text');
  await symlink('folder/file', join(volume, 'inside'));
  await symlink('../secret', join(volume, 'outside'));
  await symlink('..', join(volume, 'up'));
  execFileSync('mkfifo', [join(volume, 'pipe')]);
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

test.each<[path: string, text: string | undefined]>([
  ['folder/file', 'text'],
  ['./folder//file', 'text'],
  ['inside', 'text'],
  ['none', undefined],
  ['folder/none', undefined],
  ['folder/file/none', undefined],
])('%s', async (path, text) => expect(await readVolumeFile(volume, path, 10)).toBe(text));

test.each([
  ['outside', 'outside of allowed path'],
  ['up/secret', 'outside of allowed path'],
  ['../secret', 'is not a relative path'],
  ['/secret', 'is not a relative path'],
  ['folder', 'is not a file'],
  ['pipe', 'is not a file'],
])('%s is refused', async (path, why) => await expect(readVolumeFile(volume, path, 10)).rejects.toThrow(why));

test('no more than that is read', async () =>
  await expect(readVolumeFile(volume, 'folder/file', 3)).rejects.toThrow('larger than 3 bytes'));
