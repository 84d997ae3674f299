// Installs the npm packages of a checkout. INVARIANT: node_modules is complete at every moment or was not before, since a new one is made
// beside it and then takes its place in one step: npm itself removes the old one first, and may fail after that. Plain JavaScript
// without imports of packages, since it runs before there are any.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What a folder needs so that npm installs the same there. */
const inputs = ['package.json', 'package-lock.json', '.npmrc', 'scripts/msgpackr-extract-stub'];

/** True where every package of the lockfile that this machine needs lies in node_modules, in its version. */
export function isComplete(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).every(([path, wanted]) => {
    if (path === '' || wanted.link === true || wanted.version === undefined) return true;
    if (wanted.optional === true && !isForThisMachine(wanted)) return true;
    return versionAt(join(root, path)) === wanted.version;
  });
}

/**
 * Installs beside node_modules and swaps. Answers undefined when done, else why not; node_modules is then as it was. `say` gets what
 * a user should know.
 */
export function installPackages(root, say) {
  const cache = join(root, '.cache');
  removeLeftovers(cache);
  const work = join(cache, `install-${process.pid}`);
  try {
    for (const input of inputs) if (existsSync(join(root, input))) cpSync(join(root, input), join(work, input), { recursive: true });
    const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: work,
      stdio: ['ignore', 2, 2],
    });
    if (error?.code === 'ENOENT') return 'needs npm to install its packages (Debian: apt-get install npm)';
    if (status !== 0) {
      const rest = existsSync(join(root, 'node_modules')) ? '; the packages of before are still there' : '';
      return `npm could not install the packages (see above); is there a network?${rest}`;
    }
    const old = join(cache, `install-${process.pid}-old`);
    if (existsSync(join(root, 'node_modules'))) renameSync(join(root, 'node_modules'), old);
    renameSync(join(work, 'node_modules'), join(root, 'node_modules'));
    say('npm packages are installed');
    return undefined;
  } catch (error) {
    return `could not install the npm packages: ${error.message}`;
  } finally {
    removeLeftovers(cache);
  }
}

/** Folders of installations that were interrupted; nobody else installs now. */
function removeLeftovers(cache) {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) if (name.startsWith('install-')) rmSync(join(cache, name), { recursive: true, force: true });
}

/** Optional packages are mostly one program for many kinds of machine: those for ours are needed after all. */
function isForThisMachine({ os, cpu, libc }) {
  if (os === undefined && cpu === undefined) return false;
  const fits = (list, own) => list === undefined || list.includes(own);
  return fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, 'glibc');
}

function versionAt(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  } catch {
    return undefined; // Not there, or torn.
  }
}
