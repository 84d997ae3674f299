import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';

const socketPath = '/var/run/docker.sock';
const logPath = '/var/log/coxswain-dockerd.log';

/** True when a Docker engine answers on this host's socket. */
export function dockerAnswers(): Promise<boolean> {
  if (!existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 3_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

/**
 * Uses the running engine, or starts one: through systemd where that runs, else dockerd itself, detached. Throws a UsageError
 * (exit code 3) with the engine's last words when it ends, or none comes up within a minute.
 */
export async function ensureDocker(clock: Clock, signal: AbortSignal, detail: (text: string) => void): Promise<void> {
  if (await dockerAnswers()) return;
  detail('starting dockerd');
  const engine = startEngine();
  const deadlineMs = clock.monotonicMs() + 60_000;
  while (!(await dockerAnswers())) {
    if (engine.hasFailed() || clock.monotonicMs() > deadlineMs) {
      const lastWords = existsSync(logPath) ? readFileSync(logPath, 'utf8').trim().split('\n').slice(-2).join(' ') : 'no log';
      throw new UsageError(`no Docker engine answers on ${socketPath}, and starting one failed: ${lastWords}`, { exitCode: 3 });
    }
    await clock.sleep(50, signal);
  }
}

interface StartedEngine {
  /** True once what was started has ended without an engine. */
  readonly hasFailed: () => boolean;
}

function startEngine(): StartedEngine {
  const hasSystemd = existsSync('/run/systemd/system');
  mkdirSync('/var/log', { recursive: true });
  const log = openSync(logPath, 'a', 0o600);
  const [command, args] = hasSystemd ? ['systemctl', ['start', 'docker']] : ['dockerd', dockerdArgs(readText('/etc/docker/daemon.json'))];
  const engine = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  let failed = false;
  engine.on('error', () => (failed = true));
  // dockerd stays; systemctl ends well once the engine runs.
  engine.on('exit', (code) => (failed = !hasSystemd || code !== 0));
  engine.unref();
  closeSync(log);
  return { hasFailed: () => failed };
}

/**
 * An engine that we start leaves containers running while it is replaced, as pods expect of a node. The option may stand in one place
 * only: where the configuration file says something about it, that counts.
 */
export function dockerdArgs(daemonJson: string): readonly string[] {
  return daemonJson.includes('"live-restore"') ? [] : ['--live-restore'];
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
