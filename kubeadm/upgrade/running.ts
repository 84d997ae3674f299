// What runs of the components on this host, as far as an upgrade must know it.
import { readdirSync, readFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { ComponentPod } from '../manifests/component-pod.ts';

export interface RunningComponents {
  /** Processes with the command of a manifest: its program, and its arguments to the last. */
  pidsOf(command: readonly string[]): readonly number[];
  /** Whether what the manifest asks says that it is well. */
  isHealthy(probe: ComponentPod['probe'], signal: AbortSignal): Promise<boolean>;
}

const probeLimitMs = 5_000;

/** The processes of this host. */
export const hostProcesses: RunningComponents = {
  pidsOf: ([program = '', ...args]) =>
    readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .filter((entry) => runs(commandLineOf(entry), program, args))
      .map(Number),
  isHealthy: (probe, signal) => asks(probe, signal),
};

/** Node's own options and the bundle's path may stand before the arguments. */
function runs(words: readonly string[], program: string, args: readonly string[]): boolean {
  const own = words.slice(-args.length);
  const before = words.slice(0, words.length - args.length);
  return own.length === args.length && own.every((word, at) => word === args[at]) && before.some((word) => nameOf(word) === program);
}

function nameOf(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.js$/, '');
}

function commandLineOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
  } catch {
    return []; // It has ended.
  }
}

function asks({ host, port, scheme, live, ready = live }: ComponentPod['probe'], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host, port, path: ready, agent: false, timeout: probeLimitMs, signal, rejectUnauthorized: false } as const;
    const sent = (scheme === 'HTTPS' ? requestSecure : requestPlain)(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    sent.on('timeout', () => sent.destroy()).on('error', () => resolve(false));
    sent.end();
  });
}
