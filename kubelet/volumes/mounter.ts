import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** What volumes need of the kernel. Tests put a folder-only one in its place. */
export interface Mounter {
  /** An empty tmpfs on an existing folder. */
  mountTmpfs(path: string, sizeBytes: number | undefined, signal: AbortSignal): Promise<void>;
  /** Binds what the open file descriptor `source` points to over `target`, whatever happens to its path meanwhile. */
  bindDescriptor(source: number, target: string, signal: AbortSignal): Promise<void>;
  unmount(path: string, signal: AbortSignal): Promise<void>;
  /** Mount points at or below `path`, deepest first. */
  mountsBelow(path: string): Promise<readonly string[]>;
}

/** The kernel said no; the message has mount's words. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** Runs mount(8) and umount(8). */
export function systemMounter(): Mounter {
  return {
    mountTmpfs: (path, sizeBytes, signal) => {
      const options = sizeBytes === undefined ? [] : ['-o', `size=${sizeBytes}`];
      return run('mount', ['-t', 'tmpfs', ...options, 'tmpfs', path], [], signal);
    },
    // The descriptor becomes number 3 of mount's own; -c keeps it from resolving the link in /proc to a path.
    bindDescriptor: (source, target, signal) => run('mount', ['-c', '--bind', '/proc/self/fd/3', target], [source], signal),
    unmount: (path, signal) => run('umount', [path], [], signal),
    mountsBelow,
  };
}

async function mountsBelow(path: string): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  const points = text.split('\n').map((line) => unescapePoint(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === path || point.startsWith(`${path}/`)).toReversed();
}

/** The kernel writes blanks, tabs, line feeds and backslashes in octal. */
function unescapePoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

function run(command: string, args: readonly string[], descriptors: readonly number[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe', ...descriptors], signal });
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
