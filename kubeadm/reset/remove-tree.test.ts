import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  for (const file of ['kubelet/config.yaml', 'kubelet/pods/1/volumes/nfs/theirs', 'kubelet/pods/1/etc-hosts', 'kubelet/pods/2/log']) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('all goes where nothing is mounted, and what links lead to stays', () => {
  mkdirSync(join(root, 'elsewhere'));
  symlinkSync(join(root, 'elsewhere'), join(root, 'kubelet/link'));
  expect(removeTree(join(root, 'kubelet'), ['/', `${root}/kubelet-2`])).toEqual([]);
  expect(readdirSync(root)).toEqual(['elsewhere']);
});

test('what is mounted stays, with the folders that lead there', () => {
  const volume = join(root, 'kubelet/pods/1/volumes/nfs');
  expect(removeTree(join(root, 'kubelet'), [volume, '/'])).toEqual([volume]);
  expect(readdirSync(volume)).toEqual(['theirs']);
  expect(readdirSync(join(root, 'kubelet'))).toEqual(['pods']);
  expect(readdirSync(join(root, 'kubelet/pods/1'))).toEqual(['volumes']);
});

test('a disk of its own is emptied', () => {
  const disk = join(root, 'kubelet');
  expect(removeTree(disk, [disk])).toEqual([]);
  expect(readdirSync(disk)).toEqual([]);
});

test('what is not there does not matter', () => {
  expect(removeTree(join(root, 'none'), [])).toEqual([]);
  expect(existsSync(join(root, 'kubelet/config.yaml'))).toBe(true);
});
