// A test host: namespaces of its own (net, mount, UTS, IPC, PID, cgroup) over this machine's /usr, with its own disk folder and, when
// asked for, its own Docker engine. Up in about 0.3 s; nothing it does reaches the machine's rules, ports or kubeconfig.
import { type ChildProcess, execFile, type ExecFileException, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, cgroupControllers, Network, removeCgroups, run } from './network.ts';

const projectRoot = join(import.meta.dirname, '../..');

export interface HostOptions {
  /** The switch to plug into; a new one where absent, stopped with the host. */
  readonly network?: Network;
  /** 1 to 9: the host is 192.168.77.1<index>; default 1. */
  readonly index?: number;
  /** Starts dockerd and waits until it answers. */
  readonly docker?: boolean;
  /**
   * Keeps /var/lib on a disk of its own of this size, an XFS in a file: it can be full, and a power cut loses what was not flushed to it.
   * Default: a plain folder.
   */
  readonly diskMegabytes?: number;
  /** Lets the clock of programs be moved that are started with `clockEnvironment`; needs Debian's libfaketime. */
  readonly movableClock?: boolean;
  /** Starts systemd as the first process, with no service enabled; programs can then be installed below /usr/local. */
  readonly systemd?: boolean;
  /** Folders of this machine to show inside at the same path; the project's root always is. */
  readonly folders?: readonly string[];
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly input?: string;
}

export class Host implements AsyncDisposable {
  readonly name: string;
  readonly address: string;
  /** The host's root folder as this machine sees it; tmpfs mounts inside are only visible below `/proc/<pid>/root`. */
  readonly root: string;
  readonly network: Network;
  readonly #index: number;
  readonly #ownsNetwork: boolean;
  readonly #folders: readonly string[];
  readonly #diskMegabytes: number;
  readonly #movableClock: boolean;
  readonly #systemd: boolean;
  #outer: ChildProcess | undefined;
  #pid = 0;
  readonly #forwards: { kill: () => unknown }[] = [];

  private constructor(options: HostOptions) {
    this.network = options.network ?? Network.start();
    this.#ownsNetwork = options.network === undefined;
    this.#index = options.index ?? 1;
    this.#diskMegabytes = options.diskMegabytes ?? 0;
    this.#movableClock = options.movableClock ?? false;
    this.#systemd = options.systemd ?? false;
    this.name = `host${this.#index}`;
    this.address = `192.168.77.1${this.#index}`;
    this.root = join(this.network.folder, this.name, 'root');
    const programs = dirname(process.execPath);
    const hasNode = [projectRoot, '/usr'].some((shown) => programs.startsWith(`${shown}/`));
    this.#folders = [projectRoot, ...(hasNode ? [] : [programs]), ...(options.folders ?? [])];
  }

  static async start(options: HostOptions = {}): Promise<Host> {
    const host = new Host(options);
    try {
      host.#makeDisk();
      host.#plugIn();
      await host.boot();
      if (options.docker === true) await host.startDocker();
      return host;
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  /** The first process of the host, by this machine's count. */
  get pid(): number {
    return this.#pid;
  }

  /** The switch's end of the host's cable. */
  get cable(): string {
    return `cx${this.network.id}v${this.#index}`;
  }

  /** The host's network namespace, by the name that `ip netns` knows. */
  get namespace(): string {
    return `cx${this.network.id}-${this.#index}`;
  }

  /** Docker's socket as a path of this machine. */
  get dockerSocket(): string {
    return this.pathOf('/run/docker.sock');
  }

  /** A path of the host as a path of this machine. */
  pathOf(path: string): string {
    return `/proc/${this.#pid}/root${path}`;
  }

  /** Starts the first process; also after `powerOff`. The disk is as it was. */
  async boot(): Promise<void> {
    const cgroup = this.#cgroupName;
    for (const controller of cgroupControllers) {
      if (existsSync(`/sys/fs/cgroup/${controller}`)) mkdirSync(`/sys/fs/cgroup/${controller}/${cgroup}`, { recursive: true });
    }
    attempt('bash', '-c', `for f in cpus mems; do cat /sys/fs/cgroup/cpuset/cpuset.$f >/sys/fs/cgroup/cpuset/${cgroup}/cpuset.$f; done`);
    const script = `${this.#joinCgroups}; exec setpriv --pdeathsig KILL nsenter --net=/run/netns/${this.namespace} \
      unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private \
      env DISK=${this.#diskMegabytes === 0 ? '' : this.#disk} SYSTEMD=${this.#systemd ? 'yes' : ''} bash ${join(import.meta.dirname, 'host-init.sh')} ${this.root} ${this.name} ${this.#folders.join(' ')}`;
    const outer = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    outer.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    this.#outer = outer;
    for (let tries = 0; tries < 500; tries++) {
      const child = readIfThere(`/proc/${outer.pid}/task/${outer.pid}/children`).trim();
      if (child !== '' && existsSync(`/proc/${child}/root/run/ready`)) {
        this.#pid = Number(child);
        writeFileSync(join(dirname(this.root), 'pid'), child);
        if (this.#systemd)
          await this.sh('until systemctl is-system-running --wait 2>&1 | grep -qE "running|degraded"; do sleep 0.05; done');
        return;
      }
      if (outer.exitCode !== null) break;
      await sleep(20);
    }
    throw new Error(`host ${this.name} did not start: ${stderr}`);
  }

  /** Kills everything on the host at once, as a power cut does: with a disk of its own, what was not flushed to it is lost. */
  async powerOff(): Promise<void> {
    const outer = this.#outer;
    if (outer === undefined) return;
    this.failDisk();
    this.#outer = undefined;
    const ended =
      outer.exitCode !== null || outer.signalCode !== null ? Promise.resolve() : new Promise((resolve) => outer.once('exit', resolve));
    if (this.#pid > 0) attempt('kill', '-9', String(this.#pid));
    else outer.kill('SIGKILL');
    await ended;
    this.#pid = 0;
  }

  /** Starts an engine that runs privileged containers, also where this machine has not all rights itself. */
  async startPrivilegedDocker(): Promise<void> {
    const runtime = join(import.meta.dirname, 'runc-within.sh');
    await this.startDocker(['--add-runtime', `within=${runtime}`, '--default-runtime', 'within']);
  }

  /** From now on until the next boot nothing can be read from the host's own disk or written to it; what was not flushed is lost. */
  failDisk(): void {
    if (this.#diskMegabytes === 0 || this.#pid === 0) return;
    attempt('nsenter', '-t', String(this.#pid), '-m', 'xfs_io', '-x', '-c', 'shutdown', '/var/lib');
  }

  /** Takes all of the free room on the host's disk; answers how to give it back. */
  async fillDisk(): Promise<() => Promise<void>> {
    await this.exec([
      'bash',
      '-c',
      'dd if=/dev/zero of=/var/lib/.filler bs=64k 2>/dev/null; dd if=/dev/zero of=/var/lib/.filler-end bs=1k 2>/dev/null',
    ]);
    return async () => void (await this.exec(['rm', '-f', '/var/lib/.filler', '/var/lib/.filler-end']));
  }

  /** What a program is started with so that its clock, and that of what it starts, can be moved. Whoever starts it must not have it. */
  get clockEnvironment(): Readonly<Record<string, string>> {
    return this.#movableClock ? movableClock : {};
  }

  /** Moves the clock of programs with `clockEnvironment` so many seconds away from the true time; they see it within a second. */
  setClock(offsetSeconds: number): void {
    if (!this.#movableClock) throw new Error(`the clock of ${this.name} cannot be moved`);
    writeFileSync(join(this.root, 'etc/faketimerc'), `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
  }

  /** Starts the host's Docker engine and waits until it answers. */
  async startDocker(extra: readonly string[] = []): Promise<void> {
    const command = `setsid dockerd --data-root /var/lib/docker --exec-root /run/docker -H unix:///run/docker.sock --pidfile /run/docker.pid ${extra.join(' ')} >/var/log/dockerd.log 2>&1 </dev/null &
      for i in $(seq 1500); do curl -s --unix-socket /run/docker.sock http://d/_ping >/dev/null && exit 0; sleep 0.02; done
      tail -5 /var/log/dockerd.log >&2; exit 1`;
    const { code, stderr } = await this.exec(['bash', '-c', command]);
    if (code !== 0) throw new Error(`dockerd did not start: ${stderr}`);
  }

  /** Runs a command on the host to its end. Never rejects for an exit code. */
  exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return new Promise((resolve) => {
      const { file, args, env } = this.enter(command, options.env);
      const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      const child = execFile(file, args, { env, timeout: options.timeoutMs ?? 300_000, maxBuffer: 1 << 28, killSignal: 'SIGKILL' }, done);
      child.stdin?.on('error', () => child.kill());
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs a command and answers its standard output; throws with both outputs when it fails. */
  async sh(script: string, options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(['bash', '-c', script], options);
    if (code !== 0) throw new Error(`on ${this.name}: ${script}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /**
   * Makes a TCP port of the host reachable from this process, also ones bound to the host's loopback; answers the port on this
   * machine's loopback. Ends with the host.
   */
  async forward(port: number): Promise<number> {
    const path = `/run/forward-${port}.sock`;
    const script = `const net = require('node:net');
      net.createServer((near) => {
        const far = net.connect(${port}, '127.0.0.1');
        near.on('error', () => far.destroy()); far.on('error', () => near.destroy());
        near.pipe(far).pipe(near);
      }).listen(${JSON.stringify(path)}, () => console.log('ready'));`;
    const { file, args, env } = this.enter([process.execPath, '-e', script]);
    const relay = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      relay.stdout.once('data', resolve);
      relay.once('exit', () => reject(new Error(`the relay to port ${port} of ${this.name} ended`)));
    });
    const server = createServer((near) => {
      const far = connect(this.pathOf(path));
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      near.pipe(far).pipe(near);
    });
    server.unref();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#forwards.push(relay, { kill: () => server.close() });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** What to spawn so that `command` runs on the host. */
  enter(
    command: readonly string[],
    extraEnv: Readonly<Record<string, string>> = {},
  ): { file: string; args: string[]; env: NodeJS.ProcessEnv } {
    const script = `${this.#joinCgroups}; exec nsenter -t ${this.#pid} -m -u -i -p -n -C -r/proc/${this.#pid}/root -w/proc/${this.#pid}/root -- "$@"`;
    const env = {
      PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin`,
      HOME: '/root',
      LANG: 'C.UTF-8',
      ...extraEnv,
    };
    // Where input is a socket, as Node's pipes are, bash would read the user's .bashrc, and say what that says.
    return { file: 'bash', args: ['--norc', '-c', script, 'bash', ...command], env };
  }

  async stop(): Promise<void> {
    for (const forward of this.#forwards.splice(0)) forward.kill();
    await this.powerOff();
    attempt('ip', 'netns', 'del', this.namespace);
    attempt('ip', '-n', this.network.switchName, 'link', 'del', this.cable);
    for (const controller of cgroupControllers) removeCgroups(`/sys/fs/cgroup/${controller}`, this.#cgroupName);
    rmSync(dirname(this.root), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    if (this.#ownsNetwork) this.network.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #disk(): string {
    return join(dirname(this.root), 'disk.xfs');
  }

  get #cgroupName(): string {
    return this.namespace;
  }

  /** Shell text that moves the shell into the host's cgroups: whoever enters must do so before the namespaces. */
  get #joinCgroups(): string {
    const name = this.#cgroupName;
    return `for c in ${cgroupControllers.join(' ')}; do if [ -e /sys/fs/cgroup/$c/${name} ]; then echo $$ >/sys/fs/cgroup/$c/${name}/cgroup.procs; fi; done`;
  }

  #makeDisk(): void {
    const folders = [
      'usr',
      'etc',
      'var/lib/docker',
      'var/log',
      'var/tmp',
      'var/cache',
      'run',
      'tmp',
      'proc',
      'sys',
      'dev',
      'root',
      'work',
      'opt',
      'mnt',
      'home',
      'srv',
    ];
    for (const folder of folders) mkdirSync(join(this.root, folder), { recursive: true });
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(this.root, link));
    symlinkSync('/run', join(this.root, 'var/run'));
    if (this.#diskMegabytes > 0) {
      run('truncate', '-s', `${this.#diskMegabytes}M`, this.#disk);
      run('mkfs.xfs', '-q', this.#disk);
    }
    if (this.#movableClock) this.setClock(0);
    cpSync('/etc', join(this.root, 'etc'), { recursive: true, verbatimSymlinks: true });
    for (const path of ['etc/kubernetes', 'etc/docker', 'etc/cni/net.d', 'etc/resolv.conf'])
      rmSync(join(this.root, path), { recursive: true, force: true });
    if (this.#systemd) this.#clearUnits();
    writeFileSync(join(this.root, 'etc/resolv.conf'), 'nameserver 192.168.77.1\n');
    writeFileSync(join(this.root, 'etc/hostname'), `${this.name}\n`);
    writeFileSync(join(this.root, 'etc/hosts'), `127.0.0.1 localhost\n`);
    for (let index = 1; index <= 9; index++) appendFileSync(join(this.root, 'etc/hosts'), `192.168.77.1${index} host${index}\n`);
    run('chmod', '1777', join(this.root, 'tmp'), join(this.root, 'var/tmp'));
  }

  /** Forgets what this machine's /etc has systemd start, and what would reach the machine itself. */
  #clearUnits(): void {
    const units = join(this.root, 'etc/systemd/system');
    for (const path of [units, join(this.root, 'etc/sysctl.d')]) rmSync(path, { recursive: true, force: true });
    // A machine of its own, but not one that boots for the first time: that enables whatever is installed.
    writeFileSync(join(this.root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    mkdirSync(units, { recursive: true });
    mkdirSync(join(this.root, 'etc/sysctl.d'));
    symlinkSync('/lib/systemd/system/multi-user.target', join(units, 'default.target'));
    for (const unit of ['systemd-sysctl', 'systemd-udevd', 'systemd-udev-trigger'])
      symlinkSync('/dev/null', join(units, `${unit}.service`));
  }

  #plugIn(): void {
    const { switchName } = this.network;
    run('ip', 'netns', 'add', this.namespace);
    run('ip', '-n', this.namespace, 'link', 'set', 'lo', 'up');
    run('ip', '-n', this.namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', this.cable, 'netns', switchName);
    run('ip', '-n', switchName, 'link', 'set', this.cable, 'master', 'br0', 'up');
    run('ip', '-n', this.namespace, 'addr', 'add', `${this.address}/24`, 'dev', 'eth0');
    run('ip', '-n', this.namespace, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', this.namespace, 'route', 'add', 'default', 'via', '192.168.77.1');
  }
}

/** Only the wall clock moves; a running program looks every second where it is. */
const movableClock = {
  LD_PRELOAD: '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  FAKETIME_TIMESTAMP_FILE: '/etc/faketimerc',
  FAKETIME_CACHE_DURATION: '1',
  DONT_FAKE_MONOTONIC: '1',
};

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
