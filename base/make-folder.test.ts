import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

test('makeFolder makes what is missing, twice as well', () => {
  const root = mkdtempSync(join(tmpdir(), 'make-folder-'));
  try {
    makeFolder(join(root, 'a/b/c'));
    makeFolder(join(root, 'a/b/c'));
    expect(existsSync(join(root, 'a/b/c'))).toBe(true);
    writeFileSync(join(root, 'file'), '');
    expect(() => makeFolder(join(root, 'file/below'))).toThrow('ENOTDIR');
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('makeFolder fails where nothing can be made', () => {
  expect(() => makeFolder('/proc/coxswain/below')).toThrow('/proc/coxswain');
});
