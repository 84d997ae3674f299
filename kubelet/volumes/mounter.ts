import { spawn } from 'node:child_process';
import { mountPointsBelow } from '#base/mount-points.ts';

/** What volumes need of the kernel. Tests put a folder-only one in its place. */
export interface Mounter {
  /** An empty tmpfs on an existing folder that everybody may write to. */
  mountTmpfs(path: string, options: TmpfsOptions, signal: AbortSignal): Promise<void>;
  /** Binds what the open file descriptor `source` points to over `target`, whatever happens to its path meanwhile. */
  bindDescriptor(source: number, target: string, signal: AbortSignal): Promise<void>;
  /** Shows `source`, with all that is mounted below it, at the existing `target`, and lets nobody write there. */
  bindReadOnly(source: string, target: string, signal: AbortSignal): Promise<void>;
  /** Any file system that mount(8) knows, at an existing folder. */
  mountFilesystem(filesystem: FilesystemMount, target: string, signal: AbortSignal): Promise<void>;
  unmount(path: string, signal: AbortSignal): Promise<void>;
  /** Mount points at or below `path`, deepest first. */
  mountsBelow(path: string): Promise<readonly string[]>;
}

export interface TmpfsOptions {
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

/** Runs mount(8) and umount(8). */
export function systemMounter(): Mounter {
  return {
    mountTmpfs: (path, { sizeBytes, group }, signal) => {
      const options = [
        ...(group === undefined ? ['mode=1777'] : ['mode=3777', `gid=${group}`]),
        ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
      ];
      return run('mount', mountArguments({ type: 'tmpfs', source: 'tmpfs', options }, path), {}, signal);
    },
    // The descriptor becomes number 3 of mount's own; -c keeps it from resolving the link in /proc to a path.
    bindDescriptor: (source, target, signal) =>
      run('mount', ['-c', '--bind', '/proc/self/fd/3', target], { descriptors: [source] }, signal),
    bindReadOnly,
    mountFilesystem: (filesystem, target, signal) =>
      run('mount', mountArguments(filesystem, target), { cwd: filesystem.workingFolder }, signal),
    unmount: (path, signal) => run('umount', [path], {}, signal),
    mountsBelow: (path) => Promise.resolve(mountPointsBelow(path)),
  };
}

/** Of mount(8). A source is told from options even where it begins like one: it may be what somebody has written into a pod. */
export function mountArguments({ type, source, options }: FilesystemMount, target: string): readonly string[] {
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
