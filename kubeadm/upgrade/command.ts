// `kubeadm upgrade …`
import { UsageError } from '#base/lifecycle.ts';
import { type Command, command, group } from '../command.ts';
import { phaseCommand, phaseList, refuseUnknownPhases, runPhases } from '../phase.ts';
import { applyFlags, diffFlags, loadUpgrade, nodeFlags, planFlags } from './flags.ts';
import { newPods } from './new-pods.ts';
import { applyPhases, nodePhases, showDifference } from './phases.ts';
import { showPlan } from './plan-table.ts';
import { UpgradeJob } from './upgrade-job.ts';

const apply = command({
  name: 'apply',
  about: 'Upgrade your Kubernetes cluster to the specified version',
  details: phaseList('apply [version]', applyPhases),
  flags: applyFlags,
  maxArgs: 1,
  commands: [
    phaseCommand(applyPhases, {
      name: 'apply',
      flags: applyFlags,
      maxArgs: 1,
      prepare: ({ flags, given, args, host }) =>
        new UpgradeJob({ options: loadUpgrade('apply', flags, given, args), host, command: 'apply' }),
    }),
  ],
  async run({ flags, given, args, host }) {
    const options = loadUpgrade('apply', flags, given, args);
    if (options.target === undefined) throw new UsageError('missing one or more required arguments. Required arguments: [version]');
    refuseUnknownPhases(applyPhases, options.skippedPhases);
    await using job = new UpgradeJob({ options, host, command: 'apply' });
    await runPhases(applyPhases, job, options.skippedPhases);
  },
});

const ofNode = command({
  name: 'node',
  about: 'Upgrade commands for a node in the cluster',
  details: phaseList('node', nodePhases),
  flags: nodeFlags,
  commands: [
    phaseCommand(nodePhases, {
      name: 'node',
      flags: nodeFlags,
      prepare: ({ flags, given, host }) => new UpgradeJob({ options: loadUpgrade('node', flags, given), host, command: 'node' }),
    }),
  ],
  async run({ flags, given, host }) {
    const options = loadUpgrade('node', flags, given);
    refuseUnknownPhases(nodePhases, options.skippedPhases);
    await using job = new UpgradeJob({ options, host, command: 'node' });
    await runPhases(nodePhases, job, options.skippedPhases);
  },
});

const plan = command({
  name: 'plan',
  about: 'Check which versions are available to upgrade to and validate whether your current cluster is upgradeable.',
  flags: planFlags,
  maxArgs: 1,
  async run({ flags, given, args, host }) {
    await using job = new UpgradeJob({ options: loadUpgrade('plan', flags, given, args), host, command: 'plan' });
    await showPlan(job, flags.output);
  },
});

const diff = command({
  name: 'diff',
  about: 'Show what differences would be applied to existing static pod manifests. See also: kubeadm upgrade apply --dry-run',
  flags: diffFlags,
  maxArgs: 1,
  async run({ flags, given, args, host }) {
    await using job = new UpgradeJob({ options: loadUpgrade('diff', flags, given, args), host, command: 'diff' });
    const made = await job.node();
    for (const pod of newPods(made, undefined)) showDifference(pod, job, made);
  },
});

export const upgradeCommand: Command = group('upgrade', 'Upgrade your cluster smoothly to a newer version with this command', [
  apply,
  diff,
  ofNode,
  plan,
]);
