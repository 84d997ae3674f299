import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { addressAt, hostAddress } from '#base/host-network.ts';
import { isAbort, UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { Client } from '#client/client.ts';
import { connect } from '#client/rest.ts';
import { type Component, components } from '../cluster/components.ts';
import { listForeign, sharedFolders } from '../cluster/foreign.ts';
import { hostLockPath, lockHost } from '../cluster/host-lock.ts';
import { ensureIdentity } from '../cluster/identity.ts';
import { adminEndpoint, writeUserKubeconfig } from '../cluster/kubeconfig.ts';
import { type ClusterConfig, type Layout, runningFile } from '../cluster/layout.ts';
import { anyRunning, checkDisk, checkPort, checkPorts, refuseOtherCluster } from '../cluster/preflight.ts';
import { type Milestone, milestones } from '../cluster/readiness.ts';
import { lastWords, waitFor } from '../cluster/wait.ts';
import { runDemo } from '../demo/demo.ts';
import { ensureDocker } from '../setup/docker.ts';
import { ensureKernelSettings, routeServices } from '../setup/kernel.ts';
import { demoRequirements, ensurePackages, nodeRequirements } from '../setup/packages.ts';
import { commandDigest, findRunning } from '../supervisor/process-table.ts';
import type { CommandContext } from './context.ts';
import { down } from './down.ts';
import { type CommandOptions, layoutFor, parseOptions, requireRoot } from './options.ts';

const lookEveryMs = 1_000;
const serviceCidr = '10.96.0.0/12';
const supervisorLimitMs = 10_000;

/** `coxswain up`: everything from a bare machine to a Ready cluster; each step may be repeated. */
export async function up(context: CommandContext): Promise<void> {
  const options = parseOptions('up', context.argv);
  requireRoot();
  const { clock, signal } = context;
  const layout = layoutFor(options);
  const { config, kubeconfig } = await start(layout, options, context);

  await using client = connect(adminEndpoint(layout), { clock, component: 'coxswain' });
  if (options.wait > 0) await waitUntilReady(client, { layout, config, context, waitMs: options.wait }, signal);
  if (options.demo) await runDemo({ client, context, waitMs: options.wait }, signal);
  const state = options.wait > 0 ? 'is ready' : 'is starting';
  context.print(
    `Cluster ${JSON.stringify(config.name)} ${state}: kubectl --context ${config.name} get nodes   (kubeconfig: ${kubeconfig})\n`,
  );
  if (options.foreground) await stay(layout, config, context);
}

/** Replaces a supervisor that was killed, until the signal or another command's `down`; then stops the cluster as that does. */
async function stay(layout: Layout, config: ClusterConfig, context: CommandContext): Promise<void> {
  const { clock, signal } = context;
  try {
    while (existsSync(runningFile)) {
      await clock.sleep(lookEveryMs, signal);
      if (findRunning(layout, 'supervisor') === undefined && existsSync(runningFile)) await startSupervisor(layout, context);
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
    const argv = ['--name', config.name, '--data-dir', layout.dataDir];
    await down({ ...context, argv, signal: new AbortController().signal });
  }
}

/** What changes the host, so that only one command does it at a time: `down` may come between while we only wait. */
async function start(layout: Layout, options: CommandOptions<'up'>, context: CommandContext): Promise<Started> {
  const { steps, clock, signal } = context;
  using _lock = await lockHost({ path: hostLockPath, command: 'coxswain up', clock, detail: steps.note }, signal);
  refuseOtherCluster(layout, options.name);
  const alreadyRuns = findRunning(layout, 'supervisor') !== undefined;

  await steps.step('programs are there', (detail) =>
    ensurePackages(options.demo ? [...nodeRequirements, ...demoRequirements] : nodeRequirements, detail),
  );
  await steps.step('kernel lets pods talk', () => ensureKernelSettings());
  await steps.step('Docker engine answers', (detail) => ensureDocker(clock, signal, detail));
  const config = await steps.step('data folder is ready', () => prepare(layout, options, context));
  if (alreadyRuns) steps.note(`cluster ${JSON.stringify(config.name)} runs already`);
  else await steps.step('supervisor is started', () => startSupervisor(layout, context));
  const kubeconfig = await steps.step('kubeconfig is written', () => writeUserKubeconfig(layout, config, context));
  return { config, kubeconfig };
}

interface Started {
  readonly config: ClusterConfig;
  /** The user's file. */
  readonly kubeconfig: string;
}

interface WaitTarget {
  readonly layout: Layout;
  readonly config: ClusterConfig;
  readonly context: CommandContext;
  readonly waitMs: number;
}

async function waitUntilReady(client: Client, { layout, config, context, waitMs }: WaitTarget, signal: AbortSignal): Promise<void> {
  const { clock, steps, bundleDir } = context;
  const wanted = components(layout, config, bundleDir);
  const all = [processesRun(layout, wanted), ...milestones(client, config, clock)];
  await waitFor(all, { layout, components: wanted, clock, steps, waitMs }, signal);
}

/** Processes of an earlier command, with another address say, may answer a moment longer: they do not count. */
function processesRun(layout: Layout, wanted: readonly Component[]): Milestone {
  const digests = wanted.map((component) => ({ name: component.name, command: commandDigest(component) }));
  const check = (): Promise<true | string> => {
    const missing = digests.find(({ name, command }) => findRunning(layout, name)?.command !== command);
    return Promise.resolve(missing === undefined ? true : `${missing.name} is not there yet`);
  };
  return { title: 'processes run', check };
}

/** Makes the folder, the identity and the record of what the cluster is; settings of an existing cluster stay. */
async function prepare(layout: Layout, options: CommandOptions<'up'>, { clock }: CommandContext): Promise<ClusterConfig> {
  const kept = layout.readConfig();
  const config: ClusterConfig = {
    name: options.name,
    port: options.given.has('port') || kept === undefined ? options.port : kept.port,
    nodeName: kept?.nodeName ?? hostname().toLowerCase(),
    nodeIp: hostAddress(),
    serviceCidr,
    podCidr: '10.244.0.0/16',
    loadBalancerCidr: '172.31.254.0/24',
    dnsIp: addressAt(serviceCidr, 10),
    clusterDomain: 'cluster.local',
    extraSans: options.given.has('apiserver-cert-extra-sans') ? options['apiserver-cert-extra-sans'] : (kept?.extraSans ?? []),
    extraArgs: options.given.has('extra-arg') ? options['extra-arg'] : (kept?.extraArgs ?? {}),
    foreignPaths: kept === undefined ? listForeign(sharedFolders) : (kept.foreignPaths ?? []),
  };
  const isRunning = anyRunning(layout);
  if (!isRunning) await checkPorts(config.port);
  else if (kept !== undefined && kept.port !== config.port) await checkPort(config.port);
  layout.create();
  if (!isRunning) checkDisk(layout);
  await ensureIdentity(layout, config, clock);
  // Last of all: a supervisor that runs looks at everything anew when this changes.
  layout.writeConfig(config);
  routeServices(config);
  return config;
}

/** Leaves a supervisor running, and makes sure that it does. */
async function startSupervisor(layout: Layout, { bundleDir, env, clock, signal }: CommandContext): Promise<void> {
  writeFileAtomically(runningFile, JSON.stringify({ name: layout.readConfig()?.name, dataDir: layout.dataDir }));
  const log = openSync(layout.log('supervisor'), 'a', 0o600);
  const argv = ['--max-semi-space-size=2', join(bundleDir, 'coxswain.js'), 'supervise', '--data-dir', layout.dataDir];
  const child = spawn(process.execPath, argv, { detached: true, stdio: ['ignore', log, log], cwd: '/', env });
  closeSync(log);
  child.unref();
  let hasFailed = false;
  child.on('error', () => (hasFailed = true));
  child.on('exit', () => (hasFailed = true));
  using limit = clock.deadline(signal, supervisorLimitMs);
  while (findRunning(layout, 'supervisor') === undefined) {
    if (hasFailed || limit.signal.aborted) {
      signal.throwIfAborted();
      throw new UsageError(`the supervisor does not start: ${lastWords(layout, 'supervisor')}`, { exitCode: 1 });
    }
    await clock.sleep(10, signal);
  }
}
