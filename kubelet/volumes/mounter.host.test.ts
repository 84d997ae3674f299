import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aContainer, aPod } from '../pods/testing.ts';
import { systemMounter } from './mounter.ts';
import { hugePageOptions } from './own-folder.ts';

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

test('a folder of huge pages has pages of the size that the pod asks for', async () => {
  const pod = aPod({ containers: [aContainer('c', { resources: { requests: { 'hugepages-2Mi': '4Mi' } } })] });
  const options = hugePageOptions(pod, 'HugePages', 1_234);
  await mounter.mountFilesystem({ type: 'hugetlbfs', source: 'nodev', options }, root, signal);
  const { mode, gid } = await stat(root);
  expect([mode & 0o777, gid]).toEqual([0o777, 1_234]);
  const line = (await readFile('/proc/self/mounts', 'utf8')).split('\n').find((one) => one.split(' ')[1] === root);
  expect(line).toMatch(/ hugetlbfs \S*\bpagesize=2M\b/);
});
