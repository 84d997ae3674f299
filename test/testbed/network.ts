// A switch for test hosts: a network namespace of its own with one bridge, so that the machine's rules and addresses are never
// involved. Everything made carries the network's id; what a killed test run left behind is swept by the next one.
import { execFile, type ExecFileException, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';

const stateRoot = '/var/tmp/coxswain-testbed';
export const cgroupControllers = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'systemd',
  'unified',
] as const;

/** Runs a command to its end; throws with its output when it fails. */
export function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new Error(`${command} ${args.join(' ')}: ${stderr}`, { cause: error });
  }
}

/** Runs a command and does not mind its failure: for cleaning up. */
export function attempt(command: string, ...args: string[]): void {
  try {
    run(command, ...args);
  } catch (error) {
    if (process.env.TESTBED_VERBOSE !== undefined) process.stderr.write(`${String(error)}\n`);
  }
}

/** One switch; hosts are plugged into it. */
export class Network {
  readonly id: string;
  /** Where the hosts' disks are. */
  readonly folder: string;

  private constructor(id: string) {
    this.id = id;
    this.folder = join(stateRoot, id);
  }

  static start(): Network {
    sweepStale();
    const network = new Network(randomBytes(3).toString('hex'));
    mkdirSync(network.folder, { recursive: true });
    writeFileSync(join(network.folder, 'owner'), String(process.pid));
    const { switchName } = network;
    run('ip', 'netns', 'add', switchName);
    run('ip', '-n', switchName, 'link', 'set', 'lo', 'up');
    run('ip', '-n', switchName, 'link', 'add', 'br0', 'type', 'bridge');
    run('ip', '-n', switchName, 'addr', 'add', '192.168.77.1/24', 'dev', 'br0');
    run('ip', '-n', switchName, 'link', 'set', 'br0', 'up');
    const bridgeOff = ['iptables', 'ip6tables', 'arptables'].map((kind) => `net.bridge.bridge-nf-call-${kind}=0`);
    attempt('ip', 'netns', 'exec', switchName, 'sysctl', '-qw', ...bridgeOff);
    return network;
  }

  /** The namespace with the bridge; commands run in it see the hosts as neighbours (192.168.77.1). */
  get switchName(): string {
    return `cx${this.id}-sw`;
  }

  /** Runs a shell script as a neighbour of the hosts (192.168.77.1); answers its standard output, throws when it fails. */
  sh(script: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const args = ['netns', 'exec', this.switchName, 'bash', '-c', script];
      const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
        error === null ? resolve(stdout) : reject(new Error(`beside the hosts: ${script}: ${stderr}`, { cause: error }));
      execFile('ip', args, { encoding: 'utf8', timeout: 60_000 }, done);
    });
  }

  /** Removes all that is left of the network and its hosts. */
  stop(): void {
    sweep(this.id);
  }
}

function sweepStale(): void {
  if (!existsSync(stateRoot)) return;
  for (const id of readdirSync(stateRoot)) {
    const file = join(stateRoot, id, 'owner');
    const owner = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // Without an owner it is just being made, unless it has been so for long.
    const isStale = owner === '' ? isOld(join(stateRoot, id)) : !existsSync(`/proc/${owner}`);
    if (isStale) sweep(id);
  }
}

function isOld(folder: string): boolean {
  const madeMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  return madeMs !== undefined && systemClock.nowMs() - madeMs > 10_000;
}

function sweep(id: string): void {
  const folder = join(stateRoot, id);
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    const pidFile = join(folder, entry, 'pid');
    if (existsSync(pidFile)) attempt('kill', '-9', readFileSync(pidFile, 'utf8').trim());
  }
  for (const name of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    if (name.startsWith(`cx${id}-`)) attempt('ip', 'netns', 'del', name);
  }
  for (const controller of cgroupControllers) removeCgroups(`/sys/fs/cgroup/${controller}`, `cx${id}-`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Removes cgroup folders below `parent` that start with `prefix`, innermost first; the kernel refuses while processes end. */
export function removeCgroups(parent: string, prefix: string): void {
  if (!existsSync(parent)) return;
  for (const entry of readdirSync(parent)) {
    if (entry.startsWith(prefix))
      attempt(
        'bash',
        '-c',
        `for i in 1 2 3 4 5; do find ${join(parent, entry)} -depth -type d -exec rmdir {} \\; 2>/dev/null; [ -e ${join(parent, entry)} ] || exit 0; sleep 0.1; done`,
      );
  }
}
