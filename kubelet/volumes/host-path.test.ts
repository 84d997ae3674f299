import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHostPath } from './host-path.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hostpath-'));
  await mkdir(join(root, 'dir'));
  await writeFile(join(root, 'file'), '');
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

test.each<[name: string, type: string, problem: string | undefined]>([
  ['dir', 'Directory', undefined],
  ['file', 'File', undefined],
  ['none', '', undefined],
  ['new/dir', 'DirectoryOrCreate', undefined],
  ['new-file', 'FileOrCreate', undefined],
  ['no-such-folder/file', 'FileOrCreate', 'no such file or directory'],
  ['file', 'Directory', 'is not a directory'],
  ['dir', 'FileOrCreate', 'is not a file'],
  ['none', 'Directory', 'is not a directory'],
  ['file', 'Socket', 'is not a socket file'],
  ['file', 'CharDevice', 'is not a character device'],
  ['dir', 'Nonsense', 'is an invalid volume type'],
])('%s as %s', async (name, type, problem) => {
  const checked = checkHostPath({ path: join(root, name), type });
  if (problem === undefined) await expect(checked).resolves.toBeUndefined();
  else await expect(checked).rejects.toThrow(problem);
});

test('what is missing is made', async () => {
  await checkHostPath({ path: join(root, 'made/dir'), type: 'DirectoryOrCreate' });
  await checkHostPath({ path: join(root, 'made/file'), type: 'FileOrCreate' });
  expect((await stat(join(root, 'made/dir'))).isDirectory()).toBe(true);
  expect((await stat(join(root, 'made/file'))).isFile()).toBe(true);
});
