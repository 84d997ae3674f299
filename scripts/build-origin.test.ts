import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildOrigin } from './build-origin.ts';

const nowMs = Date.parse('2026-04-05T06:07:08.900Z');
const hasGit = spawnSync('git', ['--version']).status === 0;
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'build-origin-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

test('knows no commit where there is no repository', () => {
  expect(buildOrigin(root, nowMs)).toEqual({ commit: '', treeState: '', date: '2026-04-05T06:07:08Z' });
});

test('takes the time that a repeatable build gives', () => {
  expect(buildOrigin(root, nowMs, '1700000000').date).toBe('2023-11-14T22:13:20Z');
});

test.skipIf(!hasGit)('names the commit, and whether anything differs from it', () => {
  git('init', '-q');
  expect(buildOrigin(root, nowMs)).toMatchObject({ commit: '', treeState: '' });
  writeFileSync(join(root, 'a'), '1');
  git('add', 'a');
  git('commit', '-q', '-m', 'a');
  const commit = git('rev-parse', 'HEAD');
  expect(buildOrigin(root, nowMs)).toMatchObject({ commit, treeState: 'clean' });
  writeFileSync(join(root, 'a'), '2');
  expect(buildOrigin(root, nowMs)).toMatchObject({ commit, treeState: 'dirty' });
});

test.skipIf(!hasGit)('does not take the commit of a repository that it only lies in', () => {
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'a');
  const inner = join(root, 'node_modules/coxswain');
  mkdirSync(inner, { recursive: true });
  expect(buildOrigin(inner, nowMs)).toMatchObject({ commit: '', treeState: '' });
});
