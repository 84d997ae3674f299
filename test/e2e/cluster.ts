import { join } from 'node:path';
import { buildDemoImages } from '#cli/demo/images.ts';
import { systemClock } from '#base/clock.ts';
import { type ExecOptions, type ExecResult, Host, type HostOptions } from '#test/testbed/host.ts';
import { Background } from './background.ts';
import { defaultKubectl, type Kubectl } from '#test/testbed/kubectl.ts';

const root = join(import.meta.dirname, '../..');
const command = join(root, 'coxswain');

export interface ClusterOptions extends HostOptions {
  /** Flags of `coxswain up`. */
  readonly flags?: readonly string[];
  /** Builds `coxswain/hello` and `coxswain/busybox` before the cluster starts; default true. */
  readonly images?: boolean;
}

interface KubectlOptions extends ExecOptions {
  /** Another kubectl than the one on PATH. */
  readonly kubectl?: Kubectl | undefined;
}

/** A cluster started by the real command on a host of its own, and a kubectl there. */
export class LocalCluster implements AsyncDisposable {
  readonly host: Host;
  readonly #kubectl = defaultKubectl();

  constructor(host: Host) {
    this.host = host;
  }

  static async start({ flags = [], images = true, ...options }: ClusterOptions = {}): Promise<LocalCluster> {
    const cluster = new LocalCluster(await Host.start({ docker: true, ...options }));
    try {
      if (images) await cluster.buildImages();
      const { code, stderr } = await cluster.coxswain(['up', ...flags]);
      if (code !== 0) throw new Error(`coxswain up: exit code ${code}\n${stderr}\n${await cluster.logs()}`);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Builds the demo images in the host's engine; what is there stays. */
  async buildImages(): Promise<void> {
    await buildDemoImages(this.host.dockerSocket, join(root, 'cli/demo/hello.mjs'), () => undefined);
  }

  /** Runs the project's command on the host; never rejects for an exit code. */
  coxswain(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.host.exec([command, ...args], options);
  }

  /** True when the kubectl on PATH is `1.<minor>` or newer: some commands are younger than others. */
  hasKubectl(minor: number): boolean {
    return Number(this.#kubectl.version.split('.')[1]) >= minor;
  }

  /** Runs kubectl on the host; answers its standard output, throws with both when it fails. */
  async kubectl(args: readonly string[] | string, options: KubectlOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${String(args)}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** As `kubectl`, with the exit code as an answer. A string is split at spaces. */
  tryKubectl(args: readonly string[] | string, { kubectl, ...options }: KubectlOptions = {}): Promise<ExecResult> {
    const list = typeof args === 'string' ? args.split(' ').filter((part) => part !== '') : args;
    return this.host.exec([(kubectl ?? this.#kubectl).path, ...list], { timeoutMs: 120_000, ...options });
  }

  /** Starts a command on the host and lets it run. */
  run(command: readonly string[]): Background {
    return new Background(this.host, command);
  }

  /** Starts kubectl on the host and lets it run. */
  background(args: string, { kubectl }: KubectlOptions = {}): Background {
    return new Background(this.host, [(kubectl ?? this.#kubectl).path, ...args.split(' ')]);
  }

  /** One object or list, parsed. */
  async get<T>(args: string): Promise<T> {
    return JSON.parse(await this.kubectl(`get ${args} -o json`)) as T;
  }

  /** Creates or changes objects from manifests. */
  apply(manifest: string | object): Promise<string> {
    return this.kubectl('apply -f -', { input: typeof manifest === 'string' ? manifest : JSON.stringify(manifest) });
  }

  /** One answer over HTTP, asked for on the host. */
  curl(url: string, ...flags: string[]): Promise<string> {
    return this.host.sh(`curl -sS -m 3 ${flags.join(' ')} '${url}'`);
  }

  /** Asks until `check` answers something true; throws, with its last answer or error, after `limitMs`. */
  async until<T>(what: string, check: () => Promise<T>, limitMs = 30_000): Promise<NonNullable<Exclude<T, false>>> {
    return until(what, check, limitMs);
  }

  /** Process ids, by name, of what the cluster's records say runs and does, as the host counts them. */
  async pids(): Promise<Record<string, number>> {
    const script = `cd /var/lib/coxswain/run && for f in *.json; do p=$(grep -o '"pid":[0-9]*' $f | cut -d: -f2); kill -0 $p && echo $f $p; done`;
    const { stdout } = await this.host.exec(['bash', '-c', script]);
    return Object.fromEntries([...stdout.matchAll(/^(\S+)\.json (\d+)$/gm)].map(([, name = '', pid]) => [name, Number(pid)]));
  }

  /** What went wrong, as far as logs and objects say. */
  async logs(): Promise<string> {
    const script = `for f in /var/lib/coxswain/logs/*.log; do echo "== $f"; grep -hv '"level":30' $f | tail -n 12 | cut -c1-700; done
      kubectl get pods,deployments,replicasets,services,endpointslices -A -o wide; kubectl get events -A --sort-by=.lastTimestamp | tail -n 30; docker ps -a | head -40`;
    const { stdout, stderr } = await this.host.exec(['bash', '-c', script], { timeoutMs: 20_000 });
    return stdout + stderr;
  }

  async stop(): Promise<void> {
    await this.host.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Asks until `check` answers something true; throws, with its last answer or error, after `limitMs`. */
export async function until<T>(what: string, check: () => Promise<T>, limitMs = 30_000): Promise<NonNullable<Exclude<T, false>>> {
  const never = new AbortController().signal;
  const deadlineMs = systemClock.monotonicMs() + limitMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await check();
      if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<Exclude<T, false>>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (systemClock.monotonicMs() > deadlineMs)
      throw new Error(`not within ${limitMs} ms: ${what}; last: ${String(last)}`, { cause: last });
    await systemClock.sleep(100, never);
  }
}
