import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemMounter } from './mounter.ts';

const signal = new AbortController().signal;
const mounter = systemMounter();
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mounter-'));
});
afterEach(async () => {
  for (const point of await mounter.mountsBelow(root)) await mounter.unmount(point, signal);
  await rm(root, { recursive: true, force: true });
});

test('a folder in memory is as it should be as soon as it is there', async () => {
  await mounter.mountTmpfs(root, { sizeBytes: 1_048_576, group: 1_234 }, signal);
  const { mode, gid } = await stat(root);
  expect([mode & 0o7777, gid]).toEqual([0o3777, 1_234]);
});

test('what to mount is told from options, even where it begins like one', async () => {
  const bind = { type: 'none', source: `--source=${root}`, options: ['bind'] };
  await expect(mounter.mountFilesystem(bind, root, signal)).rejects.toThrow(/special device --source=.* does not exist/);
  expect(await mounter.mountsBelow(root)).toEqual([]);
});
