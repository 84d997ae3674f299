import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect } from '#client/rest.ts';
import { components } from '../cluster/components.ts';
import { ensureIdentity } from '../cluster/identity.ts';
import { adminEndpoint, writeUserKubeconfig } from '../cluster/kubeconfig.ts';
import { type ClusterConfig, type Layout, runningFile, writeFileAtomically } from '../cluster/layout.ts';
import { addressAt, hostAddress } from '../cluster/network.ts';
import { anyRunning, checkRoom, refuseOtherCluster } from '../cluster/preflight.ts';
import { type Milestone, milestones } from '../cluster/readiness.ts';
import { waitFor } from '../cluster/wait.ts';
import { runDemo } from '../demo/demo.ts';
import { ensureDocker } from '../setup/docker.ts';
import { ensureKernelSettings, routeLoadBalancers } from '../setup/kernel.ts';
import { demoRequirements, ensurePackages, nodeRequirements } from '../setup/packages.ts';
import { findRunning } from '../supervisor/process-table.ts';
import type { CommandContext } from './context.ts';
import { type CommandOptions, layoutFor, parseOptions, requireRoot } from './options.ts';

const serviceCidr = '10.96.0.0/12';

/** `coxswain up`: everything from a bare machine to a Ready cluster; each step may be repeated. */
export async function up(context: CommandContext): Promise<void> {
  const options = parseOptions('up', context.argv);
  requireRoot();
  const { steps, clock, signal } = context;
  const layout = layoutFor(options);
  refuseOtherCluster(layout, options.name);
  const alreadyRuns = findRunning(layout, 'supervisor') !== undefined;

  await steps.step('programs are there', (detail) =>
    ensurePackages(options.demo ? [...nodeRequirements, ...demoRequirements] : nodeRequirements, detail),
  );
  await steps.step('kernel lets pods talk', () => ensureKernelSettings());
  await steps.step('Docker engine answers', (detail) => ensureDocker(clock, signal, detail));
  const config = await steps.step('data folder is ready', () => prepare(layout, options, context));
  if (alreadyRuns) steps.note(`cluster ${JSON.stringify(config.name)} runs already`);
  else await steps.step('processes are started', () => startSupervisor(layout, context));

  await using client = connect(adminEndpoint(layout), { clock, component: 'coxswain' });
  if (options.wait > 0) await waitUntilReady(milestones(client, config, clock), { layout, config, context, waitMs: options.wait }, signal);
  const kubeconfig = await steps.step('kubeconfig is written', () => writeUserKubeconfig(layout, config, context));
  if (options.demo) await runDemo({ client, context, waitMs: options.wait }, signal);
  context.print(
    `Cluster ${JSON.stringify(config.name)} is ready: kubectl --context ${config.name} get nodes   (kubeconfig: ${kubeconfig})\n`,
  );
}

interface WaitTarget {
  readonly layout: Layout;
  readonly config: ClusterConfig;
  readonly context: CommandContext;
  readonly waitMs: number;
}

async function waitUntilReady(
  wanted: readonly Milestone[],
  { layout, config, context, waitMs }: WaitTarget,
  signal: AbortSignal,
): Promise<void> {
  const { clock, steps, bundleDir } = context;
  await waitFor(wanted, { layout, components: components(layout, config, bundleDir), clock, steps, waitMs }, signal);
}

/** Makes the folder, the identity and the record of what the cluster is; settings of an existing cluster stay. */
async function prepare(layout: Layout, options: CommandOptions<'up'>, { clock }: CommandContext): Promise<ClusterConfig> {
  layout.create();
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
  };
  if (!anyRunning(layout)) await checkRoom(layout, config);
  await ensureIdentity(layout, config, clock);
  layout.writeConfig(config);
  routeLoadBalancers(config.loadBalancerCidr);
  return config;
}

function startSupervisor(layout: Layout, { bundleDir, env }: CommandContext): void {
  writeFileAtomically(runningFile, JSON.stringify({ name: layout.readConfig()?.name, dataDir: layout.dataDir }));
  const log = openSync(layout.log('supervisor'), 'a', 0o600);
  const argv = ['--max-semi-space-size=2', join(bundleDir, 'coxswain.js'), 'supervise', '--data-dir', layout.dataDir];
  spawn(process.execPath, argv, { detached: true, stdio: ['ignore', log, log], cwd: '/', env }).unref();
}
