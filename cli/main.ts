import { systemClock } from '#base/clock.ts';
import { HelpRequested } from '#base/flags.ts';
import { isAbort, runMain, UsageError } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';
import type { CommandContext } from './commands/context.ts';
import { createSteps } from './steps.ts';

const commands: Readonly<Record<string, () => Promise<(context: CommandContext) => Promise<void>>>> = {
  up: async () => (await import('./commands/up.ts')).up,
  down: async () => (await import('./commands/down.ts')).down,
  status: async () => (await import('./commands/status.ts')).status,
  node: async () => (await import('./commands/node.ts')).node,
  kubeadm: async () => (await import('./commands/kubeadm.ts')).kubeadm,
  snapshot: async () => (await import('./commands/snapshot.ts')).snapshot,
  migrate: async () => (await import('./commands/migrate.ts')).migrate,
  supervise: async () => (await import('./commands/supervise.ts')).supervise,
  version:
    async () =>
    async ({ print }) =>
      print(`Coxswain ${version}\n`),
};

const help = `Coxswain: Kubernetes ${version.split('+')[0]} in TypeScript.

Usage:
  coxswain up [flags]       start a cluster on this host; returns when it is Ready
  coxswain status [flags]   show what runs
  coxswain down [flags]     stop the cluster; --wipe removes all that was made
  coxswain node [flags]     keep this host's part of a cluster running that kubeadm set up
  coxswain kubeadm ARGS…    make a cluster of several machines
  coxswain snapshot save|restore FILE   keep all objects of a store in a file, and bring them back
  coxswain migrate to-etcd|from-etcd    move all objects between the embedded store and etcd
  coxswain test [flags]     run every test of this checkout
  coxswain images [flags]   build the container images of this checkout
  coxswain package [flags]  make what hosts and other projects install: an archive with Node in it, and an npm package
  coxswain bench [names]    measure this checkout beside a bare Node server
  coxswain version          print the version

Each command explains its flags with --help.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a requirement is missing, 4 timed out.
`;

await runMain('coxswain', async ({ argv, env, signal, log }) => {
  const [name = '', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') throw new HelpRequested(help);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw new UsageError(`${name === '' ? 'a command is needed' : `unknown command ${JSON.stringify(name)}`} (see coxswain --help)`);
  const run = await load();
  const print = (text: string): void => void process.stdout.write(text);
  try {
    await run({
      argv: rest,
      env,
      signal,
      clock: systemClock,
      log,
      steps: createSteps(process.stderr, systemClock),
      bundleDir: import.meta.dirname,
      print,
    });
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
    const hint = name === 'up' ? "; what was started goes on: 'coxswain status' shows it, 'coxswain down' stops it" : '';
    throw new UsageError(`interrupted${hint}`, { exitCode: 1, cause: error });
  }
});
