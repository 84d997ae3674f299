import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { type Clock, DeadlineExceeded, systemClock } from '#base/clock.ts';
import { mountPointsBelow } from '#base/mount-points.ts';

/** What volumes need of the kernel. Tests put a folder-only one in its place. */
export interface Mounter {
  /** An empty tmpfs on an existing folder, writable for all. */
  mountTmpfs(path: string, options: TmpfsOptions, signal: AbortSignal): Promise<void>;
  /** Binds what the open file descriptor `source` points to over `target`, whatever happens to its path meanwhile. */
  bindDescriptor(source: number, target: string, signal: AbortSignal): Promise<void>;
  /** Shows `source`, with all that is mounted below it, at the existing `target`, read-only. */
  bindReadOnly(source: string, target: string, signal: AbortSignal): Promise<void>;
  /** Any file system that mount(8) knows, at an existing folder. */
  mountFilesystem(filesystem: FilesystemMount, target: string, signal: AbortSignal): Promise<void>;
  /** What does not let go within a minute, such as a file system of a server that is away, is asked once more, by force. */
  unmount(path: string, signal: AbortSignal): Promise<void>;
  /** Mount points at or below `path`, deepest first. */
  mountsBelow(path: string): Promise<readonly string[]>;
}

interface TmpfsOptions {
  /** Undefined: as much as the kernel thinks fit. */
  readonly sizeBytes: number | undefined;
  /** Whom it belongs to, and all that is made in it; undefined: to whoever makes it. */
  readonly group: number | undefined;
}

export interface FilesystemMount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  /** Where relative paths among the options begin. */
  readonly workingFolder?: string;
}

/** The kernel said no; the message has mount's words. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** What of the system stands behind a mounter. */
interface MounterDeps {
  readonly clock?: Clock;
  /** Default: umount(8) on the PATH. */
  readonly umount?: string;
}

const unmountLimitMs = 60_000;

/** Runs mount(8) and umount(8). */
export function systemMounter({ clock = systemClock, umount = 'umount' }: MounterDeps = {}): Mounter {
  return {
    mountTmpfs,
    // The descriptor becomes number 3 of mount's own; -c keeps it from resolving the link in /proc to a path.
    bindDescriptor: (source, target, signal) =>
      run('mount', ['-c', '--bind', '/proc/self/fd/3', target], { descriptors: [source] }, signal),
    bindReadOnly,
    mountFilesystem: (filesystem, target, signal) =>
      run('mount', mountArguments(filesystem, target), { cwd: filesystem.workingFolder }, signal),
    unmount: (path, signal) => unmountInTime(path, umount, clock, signal),
    mountsBelow: (path) => Promise.resolve(mountPointsBelow(path)),
  };
}

/** What is only to be in memory must not come to a disk by way of swap, where the kernel can keep it from that (6.4). */
export function tmpfsOptions({ sizeBytes, group }: TmpfsOptions, swaps: string, kernel: string): readonly string[] {
  const hasSwap = swaps.trim().split('\n').length > 1;
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return [
    ...(group === undefined ? ['mode=1777'] : ['mode=3777', `gid=${group}`]),
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ...(hasSwap && (major > 6 || (major === 6 && minor >= 4)) ? ['noswap'] : []),
  ];
}

async function mountTmpfs(path: string, wanted: TmpfsOptions, signal: AbortSignal): Promise<void> {
  const swaps = await readFile('/proc/swaps', 'utf8').catch(() => '');
  const options = tmpfsOptions(wanted, swaps, release());
  await run('mount', mountArguments({ type: 'tmpfs', source: 'tmpfs', options }, path), {}, signal);
}

async function unmountInTime(path: string, umount: string, clock: Clock, signal: AbortSignal): Promise<void> {
  for (const args of [[path], ['-f', path]]) {
    using deadline = clock.deadline(signal, unmountLimitMs);
    try {
      return await run(umount, args, {}, deadline.signal);
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error;
    }
  }
  throw new MountError(`umount -f ${path} failed: it takes longer than ${unmountLimitMs / 1_000}s`);
}

/** Of mount(8). A source that begins like an option is not taken for one: it may come from a pod's spec. */
function mountArguments({ type, source, options }: FilesystemMount, target: string): readonly string[] {
  return ['-t', type, ...(options.length === 0 ? [] : ['-o', options.join(',')]), '--', source, target];
}

/** Mount by mount, and out of reach of mounts that appear later: `ro=recursive` needs util-linux 2.39, and older ones take it for `ro`. */
async function bindReadOnly(source: string, target: string, signal: AbortSignal): Promise<void> {
  await run('mount', ['--rbind', '--make-rprivate', source, target], {}, signal);
  for (const point of mountPointsBelow(target)) await run('mount', ['-o', 'remount,bind,ro', point], {}, signal);
}

interface Surroundings {
  readonly descriptors?: readonly number[];
  readonly cwd?: string | undefined;
}

function run(command: string, args: readonly string[], { descriptors = [], cwd }: Surroundings, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe', ...descriptors], cwd, signal });
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      if (words.length < 4_096) words += chunk.toString();
    });
    child.on('error', (error) => reject(signal.aborted ? signal.reason : new MountError(`${command}: ${error.message}`, { cause: error })));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new MountError(`${command} ${args.join(' ')} failed: ${words.trim()}`));
    });
  });
}
