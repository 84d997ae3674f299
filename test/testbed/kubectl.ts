// Which kubectls this machine has: the one on PATH, others beside it (`kubectl.1.27`), and Debian's, unpacked without being installed.
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { attempt, run } from './network.ts';

export interface Kubectl {
  /** `1.27`; of the one on PATH too. */
  readonly version: string;
  readonly path: string;
}

const cache = join(import.meta.dirname, '../../.cache');

/** The kubectl that a user has: the one on PATH, else Debian's. Throws where there is none. */
export function defaultKubectl(): Kubectl {
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .find((path) => existsSync(path));
  const found = onPath === undefined ? debianKubectl() : { version: versionOf(onPath), path: onPath };
  if (found === undefined) throw new Error('there is no kubectl on PATH, and apt has none');
  return found;
}

/** Every kubectl that can be had here, oldest first, at most one of each minor version. */
export function allKubectls(): readonly Kubectl[] {
  const main = defaultKubectl();
  const folder = dirname(realpathSync(main.path));
  const beside = readdirSync(folder).flatMap((file): Kubectl[] => {
    const version = /^kubectl\.(1\.\d+)$/.exec(file)?.[1];
    return version === undefined ? [] : [{ version, path: join(folder, file) }];
  });
  const debian = debianKubectl();
  const byVersion = new Map([main, ...beside, ...(debian === undefined ? [] : [debian])].map((one) => [one.version, one]));
  return [...byVersion.values()].toSorted((a, b) => minor(a) - minor(b));
}

/** The newest kubectl with `1.<minor>` at most `version`, or undefined. */
export function kubectlUpTo(version: string): Kubectl | undefined {
  const limit = Number(version.split('.')[1]);
  return allKubectls().findLast((one) => minor(one) <= limit);
}

/** Debian's `kubernetes-client`, unpacked below `.cache`; undefined where apt cannot give it. */
function debianKubectl(): Kubectl | undefined {
  const folder = join(cache, 'debian-kubectl');
  const path = join(folder, 'usr/bin/kubectl');
  if (!existsSync(path)) {
    const work = join(cache, `debian-kubectl.${process.pid}`);
    mkdirSync(work, { recursive: true });
    const download = 'apt-get -q download kubernetes-client || (apt-get -q update && apt-get -q download kubernetes-client)';
    attempt('bash', '-c', `cd ${work} && (${download}) && dpkg-deb -x kubernetes-client_*.deb tree && mv tree tree.done`);
    if (existsSync(join(work, 'tree.done')) && !existsSync(path)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(join(work, 'tree.done'), folder);
    }
    rmSync(work, { recursive: true, force: true });
  }
  return existsSync(path) ? { version: versionOf(path), path } : undefined;
}

function versionOf(path: string): string {
  const version = /GitVersion:"?v(1\.\d+)|"gitVersion": "v(1\.\d+)/.exec(run(path, 'version', '--client', '-o', 'json'));
  return version?.[2] ?? version?.[1] ?? '1.0';
}

function minor({ version }: Kubectl): number {
  return Number(version.split('.')[1]);
}
