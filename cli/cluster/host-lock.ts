import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { readJson } from './layout.ts';
import { type Identity, isAlive, selfIdentity } from '../supervisor/process-table.ts';

interface LockOptions {
  readonly path: string;
  /** Shown to whoever waits: `coxswain up`. */
  readonly command: string;
  readonly clock: Clock;
  /** Called with the holder of the lock. */
  readonly detail: (text: string) => void;
}

interface Holder extends Identity {
  readonly command: string;
}

/** Gone after a reboot, as its holder is. */
export const hostLockPath = '/run/coxswain.lock';
const lookEveryMs = 100;

/**
 * Keeps other commands from changing this host's cluster until disposed. Waits for the one that holds it; one that was killed holds
 * nothing.
 */
export async function lockHost({ path, command, clock, detail }: LockOptions, signal: AbortSignal): Promise<Disposable> {
  const own: Holder = { ...selfIdentity(), command };
  let isReported = false;
  while (!take(path, own)) {
    const holder = readJson<Holder>(path);
    if (holder === undefined || !isAlive(holder)) {
      breakLock(path, own.pid);
      continue;
    }
    if (!isReported) detail(`waiting for '${holder.command}' (process ${holder.pid})`);
    isReported = true;
    await clock.sleep(lookEveryMs, signal);
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Makes the lock with its content in one step, so that it is never seen empty. */
function take(path: string, own: Holder): boolean {
  const draft = `${path}.${own.pid}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Of several that find a dead holder, one takes its lock away: what is renamed may turn out to be another's new one, which goes back. */
function breakLock(path: string, pid: number): void {
  const aside = `${path}.${pid}.old`;
  try {
    renameSync(path, aside);
  } catch {
    return; // Another process was faster.
  }
  const holder = readJson<Holder>(aside);
  if (holder !== undefined && isAlive(holder)) {
    try {
      linkSync(aside, path);
    } catch {
      // A third one has it by now; the two then work at once, as if there were no lock.
    }
  }
  rmSync(aside, { force: true });
}
