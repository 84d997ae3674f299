// `test/testbed/testbed`: the hosts are kept by a process in the background, which ends them when it ends; the other commands talk to it
// by a socket, or enter the hosts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from './fleet.ts';
import { defaultKubectl } from './kubectl.ts';

const folder = '/run/coxswain-testbed';
const [stateFile, socketFile, logFile] = [join(folder, 'state.json'), join(folder, 'keeper.sock'), join(folder, 'keeper.log')];

interface State {
  readonly keeper: number;
  /** What runs inside: how to enter each host. */
  readonly hosts: Readonly<
    Record<string, { readonly role: string; readonly address: string; readonly pid: number; readonly enter: readonly string[] }>
  >;
}

const help = `Several hosts on this machine, with a cluster on them.

  testbed up [--control-planes 3] [--workers 2]   make the hosts and the cluster
             [--disk MEGABYTES]                   each with a disk of its own below /var/lib, which can be full and loses what was not flushed
  testbed status                                  show the hosts
  testbed kubectl ARGS…                           run kubectl as the administrator, through the load balancer
  testbed shell HOST                              a shell on a host
  testbed exec HOST COMMAND…                      run a command on a host
  testbed cut HOST [in|out] | heal HOST           pull its cable, or break one wire of it, and put it back (and make it a good one)
  testbed long HOST [MS]                          make its cable long: what goes through it arrives later (default 100)
  testbed lossy HOST [PERCENT] | slow HOST [KBIT] make its cable lose packets (default 20), or let little through (default 512)
  testbed fill HOST | free HOST                   take all of the room on its own disk, and give it back
  testbed poweroff HOST | poweron HOST            kill everything on it at once, and start it again
  testbed down                                    remove it all
`;

const [command = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`testbed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  switch (command) {
    case 'up':
      return await up();
    case 'keep':
      return await keep(Number(args[0]), Number(args[1]), Number(args[2]));
    case 'down':
      return await down();
    case 'status':
      return status();
    case 'kubectl':
      return enter('host9', ['env', 'KUBECONFIG=/root/admin.conf', defaultKubectl().path, ...args]);
    case 'shell':
      return enter(args[0] ?? '', ['bash', '--norc', '-i']);
    case 'exec':
      return enter(args[0] ?? '', args.slice(1));
    case 'cut':
    case 'heal':
    case 'poweroff':
    case 'poweron':
    case 'long':
    case 'lossy':
    case 'slow':
    case 'fill':
    case 'free':
      process.stdout.write(`${await ask(`${command} ${hostOf(args[0])} ${args[1] ?? ''}`)}\n`);
      return 0;
    default:
      process.stdout.write(help);
      return command === '' || command === '--help' ? 0 : 2;
  }
}

/** Starts the keeper and shows what it says until all is up. */
async function up(): Promise<number> {
  if (alive() !== undefined) throw new Error('a testbed is up already: testbed down ends it');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const count = (flag: string, otherwise: number, most = 5): string => {
    const at = args.indexOf(flag);
    const text = at < 0 ? String(otherwise) : (args[at + 1] ?? '');
    if (!/^\d{1,6}$/.test(text) || Number(text) > most) throw new Error(`${flag} must be a number from 0 to ${most}`);
    return text;
  };
  const log = openSync(logFile, 'a', 0o600);
  const words = ['keep', count('--control-planes', 3), count('--workers', 2), count('--disk', 0, 100_000)];
  const keeper = spawn(process.execPath, [import.meta.filename, ...words], { detached: true, stdio: ['ignore', log, log] });
  keeper.unref();
  let shown = 0;
  for (;;) {
    const text = readFileSync(logFile, 'utf8');
    process.stdout.write(text.slice(shown));
    shown = text.length;
    if (alive() !== undefined) break;
    if (keeper.exitCode !== null) return 1;
    await sleep(100);
  }
  return enter('host9', ['env', 'KUBECONFIG=/root/admin.conf', defaultKubectl().path, 'get', 'nodes', '-o', 'wide']);
}

/** The process that has the hosts; answers orders until it is told to end. */
async function keep(controlPlanes: number, workers: number, diskMegabytes: number): Promise<number> {
  const host = diskMegabytes === 0 ? {} : { diskMegabytes };
  const fleet = await Fleet.start({ controlPlanes, workers, host, progress: (text) => void process.stdout.write(`${text}\n`) });
  const over = Promise.withResolvers<void>();
  /** Hosts whose disks are full, and how to give the room back. */
  const full = new Map<string, () => Promise<void>>();
  process.on('SIGTERM', () => over.resolve());
  const orders: Readonly<Record<string, (host: string, amount: string) => Promise<void> | void>> = {
    lossy: (host, amount) => fleet.makeLossy(host, wholeNumber(amount, 20)),
    slow: (host, amount) => fleet.makeSlow(host, wholeNumber(amount, 512)),
    fill: async (name) => {
      if (diskMegabytes === 0) throw new Error('the hosts have no disks of their own: testbed up --disk MEGABYTES');
      full.set(name, await fleet.host(name).fillDisk());
    },
    free: async (name) => {
      await full.get(name)?.();
      full.delete(name);
    },
    cut: (host, way) => (way === 'in' || way === 'out' ? fleet.cutOneWay(host, way) : fleet.cut(host)),
    long: (host, amount) => fleet.makeLong(host, wholeNumber(amount, 100)),
    heal: (host) => fleet.heal(host),
    poweroff: (host) => fleet.powerOff(host),
    poweron: (host) => fleet.powerOn(host),
    down: () => over.resolve(),
  };
  const server = createServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const [order = '', host = '', amount = ''] = chunk.toString().trim().split(' ');
      void Promise.resolve()
        .then(() => orders[order]?.(host, amount))
        .then(() => writeState(fleet))
        .then(
          () => socket.end(`${host === '' ? 'testbed' : host}: ${order} done`),
          (error: unknown) => socket.end(String(error)),
        );
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(socketFile);
  writeState(fleet);
  await over.promise;
  rmSync(stateFile, { force: true });
  await fleet.stop();
  server.close();
  return 0;
}

function writeState(fleet: Fleet): void {
  const hosts = Object.fromEntries(
    [...fleet.hosts].map(([name, host]) => {
      const { file, args: words } = host.enter([]);
      return [name, { role: fleet.roles.get(name) ?? '', address: host.address, pid: host.pid, enter: [file, ...words] }];
    }),
  );
  writeFileSync(stateFile, JSON.stringify({ keeper: process.pid, hosts } satisfies State));
}

function alive(): State | undefined {
  if (!existsSync(stateFile)) return undefined;
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as State;
  return existsSync(`/proc/${state.keeper}`) ? state : undefined;
}

function requireState(): State {
  const state = alive();
  if (state === undefined) throw new Error('no testbed is up: testbed up makes one');
  return state;
}

function hostOf(name: string | undefined): string {
  const { hosts } = requireState();
  if (name !== undefined && Object.hasOwn(hosts, name)) return name;
  throw new Error(`no host ${JSON.stringify(name ?? '')}: there are ${Object.keys(hosts).join(', ')}`);
}

function enter(name: string, words: readonly string[]): number {
  const { enter: [file = '', ...entry] = [] } = requireState().hosts[hostOf(name)] ?? {};
  const env = {
    PATH: `${process.execPath.replace(/\/[^/]+$/, '')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin`,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: process.env.TERM ?? 'dumb',
  };
  return spawnSync(file, [...entry, ...words], { stdio: 'inherit', env }).status ?? 255;
}

function status(): number {
  const { hosts } = requireState();
  for (const [name, { role, address, pid }] of Object.entries(hosts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    process.stdout.write(`${name}   ${address}   ${role.padEnd(14)} ${pid === 0 ? 'off' : 'on'}\n`);
  }
  return 0;
}

async function down(): Promise<number> {
  const { keeper } = requireState();
  await ask('down');
  while (existsSync(`/proc/${keeper}`)) await sleep(50);
  rmSync(folder, { recursive: true, force: true });
  return 0;
}

function ask(order: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(socketFile, () => socket.write(order));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

function wholeNumber(text: string, otherwise: number): number {
  const number = text === '' ? otherwise : Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${JSON.stringify(text)} must be a whole number above zero`);
  return number;
}
