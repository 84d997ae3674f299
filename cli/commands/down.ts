import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { components } from '../cluster/components.ts';
import { hostLockPath, lockHost } from '../cluster/host-lock.ts';
import { removeUserKubeconfig } from '../cluster/kubeconfig.ts';
import { type ClusterConfig, type Layout, readJson, type RunningRecord, runningFile } from '../cluster/layout.ts';
import { stopPods, wipeNode } from '../cluster/node-cleanup.ts';
import { removeOwnImages } from '../demo/images.ts';
import { dockerAnswers } from '../setup/docker.ts';
import { unrouteServices } from '../setup/kernel.ts';
import { findRunning, forget } from '../supervisor/process-table.ts';
import { stopComponents, stopProcess } from '../supervisor/supervisor.ts';
import type { CommandContext } from './context.ts';
import { layoutFor, parseOptions, requireRoot } from './options.ts';

/** The supervisor needs time for its components' own grace, twice: the API server goes last. */
const supervisorGraceMs = 45_000;

/** `coxswain down`: stops processes, then containers; with `--wipe` leaves the host as it was before the first `up`. */
export async function down(context: CommandContext): Promise<void> {
  const options = parseOptions('down', context.argv);
  requireRoot();
  const { steps, clock, signal, log } = context;
  const layout = layoutFor(options);
  using _lock = await lockHost({ path: hostLockPath, command: 'coxswain down', clock, detail: steps.note }, signal);
  const config = layout.readConfig();
  if (config === undefined) {
    context.print(`There is no cluster in ${layout.dataDir}.\n`);
    return;
  }
  if (options.given.has('name') && options.name !== config.name) {
    throw new UsageError(`the cluster in ${layout.dataDir} is named ${JSON.stringify(config.name)}, not ${JSON.stringify(options.name)}`, {
      exitCode: 1,
    });
  }
  await steps.step('processes are stopped', () => stopAll(layout, config, context));
  if (await dockerAnswers()) await steps.step('containers are stopped', () => stopPods(log, clock, signal));
  else if (options.wipe) {
    throw new UsageError(
      `no Docker engine answers, so the cluster's containers cannot be removed: start Docker, then repeat 'coxswain down --wipe'`,
      {
        exitCode: 1,
      },
    );
  }
  if (readJson<RunningRecord>(runningFile)?.dataDir === layout.dataDir) rmSync(dirname(runningFile), { recursive: true, force: true });
  if (options.wipe) await wipe(layout, config, context);
  context.print(
    options.wipe
      ? `Cluster ${JSON.stringify(config.name)} is gone.\n`
      : `Cluster ${JSON.stringify(config.name)} is stopped; 'coxswain up' brings it back.\n`,
  );
}

async function wipe(layout: Layout, config: ClusterConfig, { steps, clock, signal }: CommandContext): Promise<void> {
  await steps.step('network and rules are removed', async () => {
    await wipeNode(config.foreignPaths ?? [], signal);
    unrouteServices(config);
  });
  await steps.step('kubeconfig context is removed', () => removeUserKubeconfig(layout, config.name, { clock, signal }));
  await steps.step('images are removed', () => removeOwnImages('/var/run/docker.sock'));
  await steps.step('data is removed', () => layout.remove());
}

/** The supervisor stops its components; those of a supervisor that was killed are stopped here. */
async function stopAll(layout: Layout, config: ClusterConfig, { clock, signal, bundleDir }: CommandContext): Promise<void> {
  const supervisor = findRunning(layout, 'supervisor');
  if (supervisor !== undefined) await stopProcess(supervisor, clock, signal, supervisorGraceMs);
  forget(layout, 'supervisor');
  await stopComponents({ layout, components: components(layout, config, bundleDir), clock });
}
