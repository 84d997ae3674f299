// How much folders hold, measured by `du` in a process of the lowest priority: counting a million files must not hold up the kubelet.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { text } from 'node:stream/consumers';

const lowest = 19;

/** Bytes on the disk, or inodes, by folder. Does not leave a folder's file system; folders that are not there are absent. */
export async function folderSizes(
  folders: readonly string[],
  what: 'bytes' | 'inodes',
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  if (folders.length === 0) return new Map();
  const unit = what === 'inodes' ? '--inodes' : '--block-size=1';
  const child = spawn('du', ['--summarize', '--one-file-system', '--null', unit, '--files0-from=-'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  if (child.pid !== undefined) lower(child.pid);
  // It may have ended before it has read all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(folders.join('\0'));
  const said = await Promise.race([text(child.stdout), failed]);
  signal.throwIfAborted();
  return parseSizes(said);
}

/** `<number> TAB <folder> NUL`, over and over. */
export function parseSizes(said: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const entry of said.split('\0')) {
    const at = entry.indexOf('\t');
    if (at > 0) sizes.set(entry.slice(at + 1), Number(entry.slice(0, at)));
  }
  return sizes;
}

function lower(pid: number): void {
  try {
    setPriority(pid, lowest);
  } catch {
    // It has ended already.
  }
}
