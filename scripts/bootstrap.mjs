// What the `coxswain` wrapper starts: brings npm packages and bundles up to date, then hands over. Plain JavaScript without imports
// of packages, since it runs before there are any. `test` and `bench` run from the sources, everything else from the bundles.
// Where nothing is to be done, nothing is written. Else one process at a time does it, under flock(1): unlike a lock of process numbers,
// that one holds between containers that share the checkout, and ends with its holder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, isComplete } from './packages.mjs';

const root = join(import.meta.dirname, '..');
const cache = join(root, '.cache');
const packagesStamp = join(cache, 'packages.stamp');
const buildStamp = join(cache, 'build.stamp');
const argv = process.argv.slice(2);
/** Set for the process that was started to do the work, under the lock. */
const lockHeld = 'COXSWAIN_SETUP_LOCKED';

if (process.env[lockHeld] !== undefined) {
  setUp();
} else {
  if (!hasPackages() || !isBuilt()) setUpUnderLock();
  const script = {
    test: 'scripts/test.ts',
    bench: 'test/bench/main.ts',
    images: 'deploy/images/main.ts',
    package: 'deploy/package/main.ts',
  }[argv[0]];
  process.argv = [process.execPath, join(root, script ?? 'dist/coxswain.js'), ...argv.slice(script === undefined ? 0 : 1)];
  await import(process.argv[1]);
}

function setUpUnderLock() {
  const lock = join(cache, 'setup.flock');
  const self = [process.execPath, import.meta.filename];
  const env = { ...process.env, [lockHeld]: '1' };
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(lock, '', { flag: 'a' });
  } catch (error) {
    fail(1, `cannot write to ${cache}: ${error.message}`);
  }
  const run = (options) => spawnSync('flock', [...options, '--conflict-exit-code', '75', lock, ...self], { stdio: ['ignore', 2, 2], env });
  let ended = run(['--nonblock']);
  if (ended.status === 75) {
    say('waiting for another set-up of this checkout');
    ended = run([]);
  }
  if (ended.error?.code === 'ENOENT') ended = spawnSync(self[0], self.slice(1), { stdio: ['ignore', 2, 2], env });
  if (ended.status !== 0) process.exit(ended.status ?? 1);
}

function setUp() {
  if (!hasPackages()) {
    if (!existsSync(join(root, 'node_modules')) || !isComplete(root)) {
      say('installing npm packages');
      const problem = installPackages(root, say);
      if (problem !== undefined) fail(3, problem);
    }
    writeStamp(packagesStamp, packagesDigest());
  }
  if (isBuilt()) return;
  const stamp = buildDigest();
  say('building');
  for (const script of ['scripts/generate-api.ts', 'scripts/build.ts']) {
    const { status } = spawnSync(process.execPath, [join(root, script)], { cwd: root, stdio: ['ignore', 2, 2] });
    if (status !== 0) fail(1, `${script} failed (see above)`);
  }
  writeStamp(buildStamp, stamp);
}

function hasPackages() {
  return existsSync(join(root, 'node_modules')) && read(packagesStamp) === packagesDigest();
}

function packagesDigest() {
  return digest(readFileSync(join(root, 'package-lock.json')), readFileSync(join(root, 'package.json')));
}

function isBuilt() {
  return existsSync(join(root, 'dist/coxswain.js')) && read(buildStamp) === buildDigest();
}

/** Of every file that a bundle is made of: its name, time and size. */
function buildDigest() {
  const tops = [
    'base',
    'api',
    'client',
    'apiserver',
    'scheduler',
    'controller-manager',
    'cloud-controller-manager',
    'kubelet',
    'kube-proxy',
    'kubeadm',
    'addons',
    'cli',
    'testing',
  ];
  const files = tops.flatMap((top) =>
    existsSync(join(root, top)) ? readdirSync(join(root, top), { recursive: true }).map((path) => join(top, path)) : [],
  );
  const wanted = files.filter((path) => /\.(ts|mjs|json)$/.test(path) && !/\.test\.ts$|(^|\/)generated\//.test(path));
  const all = [...wanted, 'scripts/build.ts', 'scripts/build-origin.ts', 'scripts/generate-api.ts', 'package-lock.json'].toSorted((a, b) =>
    a < b ? -1 : 1,
  );
  return digest(
    ...all.map((path) => {
      // A file may go while we look: then the digest is another one, and the next look tells.
      const { mtimeMs, size } = statSync(join(root, path), { throwIfNoEntry: false }) ?? {};
      return `${path} ${mtimeMs} ${size}`;
    }),
  );
}

function digest(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return hash.digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function writeStamp(path, stamp) {
  writeFileSync(`${path}.new`, stamp);
  renameSync(`${path}.new`, path);
}

function say(message) {
  process.stderr.write(`coxswain: ${message}\n`);
}

function fail(code, message) {
  say(message);
  process.exit(code);
}
