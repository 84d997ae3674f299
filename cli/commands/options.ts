import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { boolFlag, durationFlag, type FlagValues, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { extraArgFlag } from './extra-args.ts';
import { Layout, readJson, type RunningRecord, runningFile } from '../cluster/layout.ts';

export const defaultDataDir = '/var/lib/coxswain';

const common = {
  name: stringFlag('coxswain', 'Name of the cluster, also of its kubeconfig context'),
  'data-dir': stringFlag(defaultDataDir, 'Folder that holds all of the cluster: store, certificates, logs', { valueName: 'path' }),
};
const flagsOf = {
  up: {
    ...common,
    wait: durationFlag(120_000, 'How long to wait for the cluster to be Ready, set-up not counted; 0 does not wait'),
    port: intFlag(6_443, 'Port of the API server', { min: 1, max: 65_535 }),
    demo: boolFlag(false, 'Also build the demo images, deploy the hello example and show what it answers'),
    foreground: boolFlag(false, 'Stay when the cluster is Ready, and stop it on SIGTERM: for service managers and containers'),
    'extra-arg': extraArgFlag('A further flag of a component, such as kube-apiserver:audit-log-path=/var/log/audit.log'),
    'apiserver-cert-extra-sans': listFlag([], "Further names and addresses for the API server's certificate"),
  },
  down: { ...common, wipe: boolFlag(false, 'Also remove all that was made: objects, network, rules, kubeconfig context') },
  status: common,
};
const about = {
  up: 'Starts a Kubernetes cluster on this host and returns when it is Ready. On a running cluster it says so.',
  down: 'Stops the cluster and its containers. Objects stay, and the next `up` brings them back.',
  status: 'Shows what runs. Exits with 0 when the cluster is Ready, else with 1.',
};

type CommandName = keyof typeof flagsOf;
export type CommandOptions<C extends CommandName> = FlagValues<(typeof flagsOf)[C]> & { readonly given: ReadonlySet<string> };

/** The options of a command. Throws UsageError (2) for what it does not know. */
export function parseOptions<C extends CommandName>(command: C, argv: readonly string[]): CommandOptions<C> {
  const { values, given, positional } = parseFlags(`coxswain ${command}`, flagsOf[command], argv, about[command]);
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])} (see coxswain ${command} --help)`);
  const { name, 'data-dir': dataDir, wait = 0 } = values as { name: string; 'data-dir': string; wait?: number };
  if (wait < 0) throw new UsageError('invalid value for --wait: must not be negative');
  if (dataDir === '') throw new UsageError('invalid value "" for --data-dir: must be a folder');
  if (dataDir.includes('\0') || dataDir.includes('\n')) throw new UsageError('invalid value for --data-dir: must be one line of text');
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    throw new UsageError(`invalid value ${JSON.stringify(name)} for --name: lower-case letters, digits and '-', at most 63`);
  }
  return { ...values, given } as unknown as CommandOptions<C>;
}

/** The data folder that a command means: the one given, else that of the cluster that runs, else the default. */
export function layoutFor(options: { readonly 'data-dir': string; readonly given: ReadonlySet<string> }): Layout {
  const running = options.given.has('data-dir') ? undefined : readJson<RunningRecord>(runningFile);
  const dataDir = running?.dataDir ?? options['data-dir'];
  return new Layout(isAbsolute(dataDir) ? dataDir : resolve(dataDir));
}

/** Refuses to work without the rights that the node agent needs. */
export function requireRoot(): void {
  if (process.platform !== 'linux') throw new UsageError('a cluster needs Linux for now', { exitCode: 3 });
  if (process.getuid?.() !== 0) throw new UsageError('a cluster needs root for now: run it with sudo', { exitCode: 3 });
  if (!existsSync('/proc/self/ns/net')) throw new UsageError('the kernel has no network namespaces', { exitCode: 3 });
}
