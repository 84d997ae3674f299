import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listForeign, removeOwn } from './foreign.ts';

let root: string;
let folders: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'foreign-'));
  folders = ['kubelet', 'kubelet/pods', 'logs'].map((name) => join(root, name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const file = (path: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), '');
};
const isThere = (path: string): boolean => existsSync(join(root, path));

test('where nothing was, nothing stays', () => {
  const foreign = listForeign(folders);
  file('kubelet/pods/uid/volumes/a');
  file('kubelet/network/b');
  file('logs/c');
  removeOwn(folders, foreign);
  expect([isThere('kubelet'), isThere('logs')]).toEqual([false, false]);
});

test('what was there before stays, with its folders', () => {
  file('kubelet/config.yaml');
  file('kubelet/pods/theirs/volumes/a');
  mkdirSync(join(root, 'logs'));
  const foreign = listForeign(folders);
  file('kubelet/pods/ours/volumes/a');
  file('kubelet/network/b');
  file('logs/c');
  removeOwn(folders, foreign);
  expect(['kubelet/config.yaml', 'kubelet/pods/theirs/volumes/a', 'logs'].map(isThere)).toEqual([true, true, true]);
  expect(['kubelet/pods/ours', 'kubelet/network', 'logs/c'].map(isThere)).toEqual([false, false, false]);
});

test('a file in place of a folder is nobody’s folder', () => {
  file('logs');
  expect(listForeign(folders)).toEqual([]);
  removeOwn(folders, []);
  expect(isThere('logs')).toBe(true);
});
