import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
// @ts-expect-error -- plain JavaScript: it runs before there is a compiler
import { installPackages, isComplete } from './packages.mjs';

let root: string;
let path: string | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'packages-'));
  path = process.env['PATH'];
  const packages = {
    '': { name: 'x' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/here': { version: '3.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
    'node_modules/elsewhere': { version: '3.0.0', optional: true, os: ['aix'], cpu: ['ppc64'] },
    'node_modules/nice-to-have': { version: '4.0.0', optional: true },
    'node_modules/linked': { resolved: 'somewhere', link: true },
  };
  write('package.json', '{}');
  write('package-lock.json', JSON.stringify({ packages }));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(root, { recursive: true, force: true });
});

const write = (name: string, content: string): void => {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
};
const put = (name: string, version: string): void => write(`node_modules/${name}/package.json`, JSON.stringify({ version }));
const putAll = (): void => {
  put('a', '1.0.0');
  put('a/node_modules/b', '2.0.0');
  put('here', '3.0.0');
};
/** Puts a program named npm in front of the real one. */
const npmDoes = (script: string): void => {
  write('bin/npm', `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, 'bin/npm'), 0o755);
  process.env['PATH'] = `${join(root, 'bin')}${delimiter}${path}`;
};
const install = (): unknown => installPackages(root, () => undefined);

test('complete is what has every package that this machine needs, in its version', () => {
  expect(isComplete(root)).toBe(false);
  putAll();
  expect(isComplete(root)).toBe(true);
  put('a/node_modules/b', '2.0.1');
  expect(isComplete(root)).toBe(false);
  putAll();
  rmSync(join(root, 'node_modules/here'), { recursive: true });
  expect(isComplete(root)).toBe(false);
});

test('a new node_modules takes the place of the old one, and nothing else stays', () => {
  put('old', '1.0.0');
  npmDoes('mkdir -p node_modules/new && cp package-lock.json node_modules/new/');
  expect(install()).toBeUndefined();
  expect(readdirSync(join(root, 'node_modules'))).toEqual(['new']);
  expect(readdirSync(join(root, '.cache'))).toEqual([]);
});

test('where npm fails half-way, the old one stays whole', () => {
  putAll();
  npmDoes('mkdir -p node_modules/a; rm -rf ../../node_modules/nothing; exit 1');
  expect(install()).toMatch(/npm could not install the packages.*the packages of before are still there/);
  expect(isComplete(root)).toBe(true);
  expect(readdirSync(join(root, '.cache'))).toEqual([]);
});

test('without npm it says so', () => {
  mkdirSync(join(root, 'empty'));
  process.env['PATH'] = join(root, 'empty');
  expect(install()).toMatch(/needs npm/);
  expect(existsSync(join(root, 'node_modules'))).toBe(false);
});

test('what an interrupted installation left is removed', () => {
  write('.cache/install-1/node_modules/x', '');
  npmDoes('mkdir node_modules');
  install();
  expect(readdirSync(join(root, '.cache'))).toEqual([]);
});

test('this checkout is complete', () => {
  const project = join(import.meta.dirname, '..');
  expect(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))).toHaveProperty('name', 'coxswain');
  expect(isComplete(project)).toBe(true);
});
