// What the `coxswain` wrapper starts: brings npm packages and bundles up to date, then hands over. Plain JavaScript without imports
// of packages, since it runs before there are any. `test` and `bench` run from the sources, everything else from the bundles.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const cache = join(root, '.cache');
const argv = process.argv.slice(2);

mkdirSync(cache, { recursive: true });
await underLock(join(cache, 'setup.lock'), () => {
  installPackages();
  build();
});
if (argv[0] === 'test' || argv[0] === 'bench') {
  const script = argv[0] === 'test' ? 'scripts/test.ts' : 'test/bench/main.ts';
  process.argv = [process.execPath, join(root, script), ...argv.slice(1)];
  await import(join(root, script));
} else {
  process.argv[1] = join(root, 'dist/coxswain.js');
  await import(join(root, 'dist/coxswain.js'));
}

function installPackages() {
  const stamp = digest(readFileSync(join(root, 'package-lock.json')), readFileSync(join(root, 'package.json')));
  const stampFile = join(cache, 'packages.stamp');
  if (existsSync(join(root, 'node_modules')) && read(stampFile) === stamp) return;
  if (spawnSync('npm', ['--version']).status !== 0) fail(3, 'needs npm to install its packages (Debian: apt-get install npm)');
  process.stderr.write('coxswain: installing npm packages\n');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail(3, 'npm could not install the packages (see above)');
  writeFileSync(stampFile, stamp);
}

function build() {
  const stamp = digest(...sources().map((path) => `${path} ${statSync(join(root, path)).mtimeMs} ${statSync(join(root, path)).size}`));
  const stampFile = join(cache, 'build.stamp');
  if (existsSync(join(root, 'dist/coxswain.js')) && read(stampFile) === stamp) return;
  for (const script of ['scripts/generate-api.ts', 'scripts/build.ts']) {
    const { status } = spawnSync(process.execPath, [join(root, script)], { cwd: root, stdio: ['ignore', 2, 2] });
    if (status !== 0) fail(1, `${script} failed (see above)`);
  }
  writeFileSync(stampFile, stamp);
}

/** Every file that a bundle is made of. */
function sources() {
  const tops = [
    'base',
    'api',
    'client',
    'apiserver',
    'scheduler',
    'controller-manager',
    'kubelet',
    'kube-proxy',
    'addons',
    'cli',
    'testing',
  ];
  const files = tops.flatMap((top) =>
    existsSync(join(root, top)) ? readdirSync(join(root, top), { recursive: true }).map((path) => join(top, path)) : [],
  );
  const wanted = files.filter((path) => /\.(ts|mjs|json)$/.test(path) && !/\.test\.ts$|(^|\/)generated\//.test(path));
  return [...wanted, 'scripts/build.ts', 'scripts/generate-api.ts', 'package-lock.json'].toSorted((a, b) => (a < b ? -1 : 1));
}

/** Runs `work` while no other process does; a lock whose owner is gone counts for nothing. */
async function underLock(folder, work) {
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if (error.code === 'EROFS' || error.code === 'EACCES') fail(1, `cannot write to ${cache}: ${error.message}`);
      if (error.code !== 'EEXIST') throw error;
      const owner = read(join(folder, 'pid'));
      const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (owner === undefined ? age > 5_000 : !existsSync(`/proc/${owner}`)) rmSync(folder, { recursive: true, force: true });
      else await sleep(100);
    }
  }
  try {
    work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function digest(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return hash.digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function fail(code, message) {
  process.stderr.write(`coxswain: ${message}\n`);
  rmSync(join(cache, 'setup.lock'), { recursive: true, force: true });
  process.exit(code);
}
