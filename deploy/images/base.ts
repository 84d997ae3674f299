// The system that images of machines stand on: Debian with a Docker engine and what the node agent needs. Made from Debian's packages with
// mmdebstrap, since there may be no registry to pull one from.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '#base/lifecycle.ts';
import { ensurePackages } from '#cli/setup/packages.ts';
import { docker } from './docker.ts';

/** What machines need: written down once, in the Dockerfile that makes the same with a registry. */
function machinePackages(): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, 'base/Dockerfile'), 'utf8');
  return [...text.matchAll(/^ {4}([a-z0-9.+-]+) \\$/gm)].map(([, name = '']) => name);
}

const leftOut = ['doc', 'man', 'locale', 'info', 'bash-completion'];
const label = 'io.coxswain.base';

/** The name of an image to stand on: the one that is there, or one made now. Throws UsageError where it cannot be made. */
export async function ensureBase(repository: string, folder: string, detail: (text: string) => void): Promise<string> {
  const sources = aptSources();
  const digest = createHash('sha256')
    .update(JSON.stringify([machinePackages(), sources, leftOut]))
    .digest('hex')
    .slice(0, 12);
  const image = `${repository}/base:${digest}`;
  if (spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0) return image;
  const needed = { anyOf: ['mmdebstrap'], debianPackage: 'mmdebstrap', purpose: 'makes the system that images stand on' };
  await ensurePackages([needed], detail);
  const tar = join(folder, 'base.tar');
  detail('mmdebstrap');
  await makeTar(tar, sources);
  detail('docker import');
  docker(['import', '--change', `LABEL ${label}=${digest}`, tar, image]);
  rmSync(tar);
  return image;
}

/** This machine's own package sources: what it can install from, an image can be made of. */
function aptSources(): readonly string[] {
  const folder = '/etc/apt/sources.list.d';
  const paths = ['/etc/apt/sources.list', ...list(folder).map((file) => join(folder, file))];
  return paths.filter((path) => /\.(list|sources)$/.test(path) && /^(deb|Types:)/m.test(read(path)));
}

function codename(): string {
  const [, name] = /^VERSION_CODENAME=(\S+)$/m.exec(read('/etc/os-release')) ?? [];
  const [, id] = /^ID=(\S+)$/m.exec(read('/etc/os-release')) ?? [];
  if (id === 'debian' && name !== undefined) return name;
  throw new UsageError(
    'the base of the images is made from Debian packages, and this machine has no Debian: make one with ' +
      "'docker build -t coxswain/base deploy/images/base' and give --base coxswain/base",
    { exitCode: 3 },
  );
}

async function makeTar(path: string, sources: readonly string[]): Promise<void> {
  const options = leftOut.flatMap((folder) => ['--dpkgopt', `path-exclude=/usr/share/${folder}/*`]);
  const args = ['--variant=minbase', `--include=${machinePackages().join(',')}`, ...options, codename(), path, ...sources];
  const child = spawn('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  const [code] = await Promise.all([
    new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject)),
    pipeline(child.stderr, async (chunks) => {
      for await (const chunk of chunks) words = `${words}${String(chunk)}`.slice(-4_000);
    }),
  ]);
  if (code !== 0) throw new UsageError(`mmdebstrap failed: ${words.trim().split('\n').slice(-4).join('\n')}`, { exitCode: 1 });
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // No such folder: all sources are in the one file.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Absent counts as empty.
  }
}
