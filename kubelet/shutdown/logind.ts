// systemd's logind, by the programs that come with systemd: `systemd-inhibit` holds the machine's end up for as long as its standard input is
// open, so that a kubelet that dies holds nothing; `busctl` reports when it shuts down. (pkg/kubelet/nodeshutdown/systemd)
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** Reports that the machine shuts down, and can delay it. */
export interface ShutdownSource {
  /** From now on the machine waits up to that long. Throws where it does not. */
  watch(neededSeconds: number, signal: AbortSignal): Promise<ShutdownWatch>;
}

export interface ShutdownWatch {
  /** True: the machine is to end; false: it was cancelled. Ends when the source ends. */
  readonly events: AsyncIterable<boolean>;
  /** Lets the machine end. */
  release(): void;
  /** Holds its end up again. */
  hold(): void;
}

interface LogindOptions {
  /** The programs; default those on the path. */
  readonly busctl?: string;
  readonly inhibit?: string;
  readonly systemctl?: string;
  /** The drop-in that raises logind's InhibitDelayMaxSec. */
  readonly configFile?: string;
}

const manager = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
const match = "type='signal',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'";
const run = promisify(execFile);

export class Logind implements ShutdownSource {
  readonly #programs: Required<LogindOptions>;

  constructor(options: LogindOptions = {}) {
    this.#programs = {
      busctl: 'busctl',
      inhibit: 'systemd-inhibit',
      systemctl: 'systemctl',
      configFile: '/etc/systemd/logind.conf.d/99-kubelet.conf',
      ...options,
    };
  }

  async watch(neededSeconds: number, signal: AbortSignal): Promise<ShutdownWatch> {
    const { busctl } = this.#programs;
    await this.#allow(neededSeconds, signal);
    const monitor = spawn(busctl, ['--json=short', `--match=${match}`, 'monitor'], { stdio: ['ignore', 'pipe', 'ignore'], signal });
    monitor.on('error', () => undefined);
    // Output before the first read would be dropped when it ends.
    const said = monitor.stdout.pipe(new PassThrough());
    let lock: ChildProcess | undefined = this.#inhibit(signal);
    const release = (): void => {
      lock?.stdin?.end();
      lock = undefined;
    };
    const hold = (): void => {
      lock ??= this.#inhibit(signal);
    };
    return { events: eventsOf(monitor, said, release), release, hold };
  }

  /** Lets logind wait that long, if it would not. */
  async #allow(neededSeconds: number, signal: AbortSignal): Promise<void> {
    const { systemctl, configFile } = this.#programs;
    if ((await this.#delaySeconds(signal)) >= neededSeconds) return;
    await mkdir(dirname(configFile), { recursive: true, mode: 0o755 });
    const text = `# Kubelet logind override\n[Login]\nInhibitDelayMaxSec=${neededSeconds}\n`;
    await writeFile(configFile, text, { mode: 0o644 });
    await run(systemctl, ['kill', '--signal=HUP', 'systemd-logind.service'], { signal });
    const seconds = await this.#delaySeconds(signal);
    if (seconds < neededSeconds)
      throw new Error(
        `logind waits ${seconds} s at most (InhibitDelayMaxSec), but pods need ${neededSeconds} s when the machine shuts down`,
      );
  }

  async #delaySeconds(signal: AbortSignal): Promise<number> {
    const { stdout } = await run(this.#programs.busctl, ['get-property', ...manager, 'InhibitDelayMaxUSec'], { signal });
    return Number(/^t (\d+)/.exec(stdout)?.[1] ?? 0) / 1_000_000;
  }

  #inhibit(signal: AbortSignal): ChildProcess {
    const why = ['--what=shutdown', '--who=kubelet', '--why=Kubelet needs time to handle node shutdown', '--mode=delay'];
    const child = spawn(this.#programs.inhibit, [...why, 'cat'], { stdio: ['pipe', 'ignore', 'ignore'], signal });
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    return child;
  }
}

async function* eventsOf(monitor: ChildProcess, said: PassThrough, release: () => void): AsyncGenerator<boolean, void, undefined> {
  try {
    if (monitor.pid === undefined) return;
    for await (const line of createInterface({ input: said })) {
      const isBeginning = parseEvent(line);
      if (isBeginning !== undefined) yield isBeginning;
    }
  } finally {
    release();
    if (monitor.exitCode === null && monitor.pid !== undefined && monitor.kill()) await once(monitor, 'exit');
  }
}

/** What a line of `busctl monitor` says of PrepareForShutdown; undefined: nothing. */
export function parseEvent(line: string): boolean | undefined {
  let message: { readonly member?: string; readonly payload?: { readonly data?: readonly unknown[] } };
  try {
    message = JSON.parse(line) as typeof message;
  } catch {
    // A line for people, such as the one it begins with.
    return undefined;
  }
  const [isBeginning] = message.payload?.data ?? [];
  return message.member === 'PrepareForShutdown' && typeof isBeginning === 'boolean' ? isBeginning : undefined;
}
