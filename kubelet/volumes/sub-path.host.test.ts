import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemMounter } from './mounter.ts';
import { bindSubPath, descend, makeFolder } from './sub-path.ts';

const signal = new AbortController().signal;
const mounter = systemMounter();
let root: string;
let volumePath: string;
let target: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'subpath-'));
  volumePath = join(root, 'volume');
  target = join(root, 'target');
  await mkdir(join(volumePath, 'dir'), { recursive: true });
  await writeFile(join(volumePath, 'dir/file'), 'inside');
  await mkdir(join(root, 'outside'));
  await writeFile(join(root, 'outside/secret'), 'not for you');
});
afterEach(async () => {
  for (const point of await mounter.mountsBelow(root)) await mounter.unmount(point, signal);
  await rm(root, { recursive: true, force: true });
});
const bind = (subPath: string): Promise<void> => bindSubPath({ volumePath, subPath, target }, mounter, signal);

describe('what is inside is bound', () => {
  test('a folder', async () => {
    await bind('dir');
    expect(await readFile(join(target, 'file'), 'utf8')).toBe('inside');
    expect(await mounter.mountsBelow(target)).toEqual([target]);
  });
  test('a file', async () => {
    await bind('dir/file');
    expect(await readFile(target, 'utf8')).toBe('inside');
  });
  test('a folder that is made for it', async () => {
    await bind('new/er');
    expect((await stat(join(volumePath, 'new/er'))).isDirectory()).toBe(true);
  });
  test('folders that are made for it let in whom the volume lets in', async () => {
    await chmod(volumePath, 0o3777);
    await bind('new/er');
    for (const made of ['new', 'new/er']) expect((await stat(join(volumePath, made))).mode & 0o7777).toBe(0o3777);
  });
  test('a link that stays inside, as those of config maps', async () => {
    await symlink('dir', join(volumePath, '..data'));
    await symlink('..data/file', join(volumePath, 'key'));
    await bind('key');
    expect(await readFile(target, 'utf8')).toBe('inside');
  });
});

describe('what leads outside is refused', () => {
  test.each([
    ['a link', 'link'],
    ['a path through a link', 'link/secret'],
    ['a new folder behind a link', 'link/new'],
    ['an absolute link', 'absolute'],
  ])('%s', async (_, subPath) => {
    await symlink('../outside', join(volumePath, 'link'));
    await symlink('/etc', join(volumePath, 'absolute'));
    await expect(bind(subPath)).rejects.toThrow(/outside of allowed path/);
    expect(await mounter.mountsBelow(root)).toEqual([]);
  });
  test.each(['../outside', '/etc', 'dir/../../outside'])('%s', async (subPath) => {
    await expect(bind(subPath)).rejects.toThrow('is not a relative path');
  });
  test('no folder is made behind a link that has taken the place of a folder', async () => {
    await symlink('../outside', join(volumePath, 'swapped'));
    await expect(makeFolder(volumePath, join(volumePath, 'swapped'), 'made', 0o755)).rejects.toThrow('a link stands in the way');
    await expect(makeFolder(volumePath, join(volumePath, 'swapped/below'), 'made', 0o755)).rejects.toThrow();
    expect(await readdir(join(root, 'outside'))).toEqual(['secret']);
  });
  test('a link that appears after the check is not followed', async () => {
    await symlink('../outside', join(volumePath, 'late'));
    await expect(descend(volumePath, ['late', 'secret'])).rejects.toThrow();
    await expect(descend(volumePath, ['late'])).rejects.toThrow('a link stands in the way');
  });
});
