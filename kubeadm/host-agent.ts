// What keeps a host's components running: `coxswain node`, under systemd where that is in charge, else as a process of its own.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import type { Surroundings } from './surroundings.ts';

const unit = 'coxswain-node.service';
const logFolder = '/var/log/coxswain';
/** Where Node keeps the code that it has compiled, as in the unit: a component that starts again needs a quarter less CPU time for it. */
const compileCache = '/var/cache/coxswain/compile';
/** Written by the agent; `coxswain node` refuses to run twice. */
const agentPidFile = '/run/coxswain/node.pid';

/** Where the agent keeps what a component of this host says. */
export const logOf = (component: string): string => `/var/lib/coxswain/node/logs/${component}.log`;

/** Starts the agent, or has the one that runs look again. */
export async function startHostAgent({ env }: Pick<Surroundings, 'env'>): Promise<void> {
  if (isSystemd()) {
    try {
      execFileSync('systemctl', ['enable', '--now', unit], { stdio: ['ignore', 'ignore', 'pipe'] });
      return;
    } catch (error) {
      throw new UsageError(`systemd did not start ${unit}: ${reasonOf(error)} (journalctl -u ${unit})`, { exitCode: 1, cause: error });
    }
  }
  if (runningPid() !== undefined) return;
  mkdirSync(logFolder, { recursive: true, mode: 0o755 });
  const log = openSync(join(logFolder, 'node.log'), 'a', 0o640);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'coxswain.js'), 'node'], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { NODE_COMPILE_CACHE: compileCache, ...env },
  });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  child.unref();
}

/** Ends the agent and, with it, the components. */
export function stopHostAgent(): void {
  if (isSystemd()) execFileSync('systemctl', ['disable', '--now', unit], { stdio: 'ignore' });
  const pid = runningPid();
  if (pid !== undefined) process.kill(pid, 'SIGTERM');
}

/** The agent's process, if one runs without systemd. */
export function runningPid(): number | undefined {
  try {
    const pid = Number(readFileSync(agentPidFile, 'utf8'));
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('coxswain.js') ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isSystemd(): boolean {
  return existsSync('/run/systemd/system');
}
