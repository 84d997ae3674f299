import { systemClock } from '#base/clock.ts';
import { runMain } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';
import { certsCommand } from './certs/commands.ts';
import { command, group, runCommand } from './command.ts';
import { configCommand } from './config/commands.ts';
import { initCommand } from './init/command.ts';
import { joinCommand } from './join/command.ts';
import { resetCommand } from './reset/command.ts';
import { kubeconfigCommand } from './kubeconfig/commands.ts';
import { stringFlag } from '#base/flags.ts';
import { tokenCommand } from './token/commands.ts';
import { upgradeCommand } from './upgrade/command.ts';

const versionCommand = command({
  name: 'version',
  about: 'Print the version of kubeadm',
  flags: { output: stringFlag('', "Output format; available options are 'yaml', 'json' and 'short'", { short: 'o' }) },
  run({ flags, host }) {
    const [major = '', minor = ''] = version.slice(1).split('.');
    const clientVersion = {
      major,
      minor,
      gitVersion: version,
      goVersion: process.version,
      compiler: 'node',
      platform: `linux/${process.arch}`,
    };
    if (flags.output === 'short') host.print(`${version}\n`);
    else if (flags.output === 'json') host.print(`${JSON.stringify({ clientVersion }, null, 2)}\n`);
    else host.print(`kubeadm version: ${JSON.stringify(clientVersion)}\n`);
  },
});

const about = `Coxswain's kubeadm: easily bootstrap a secure Kubernetes cluster

    control plane:  kubeadm init
    other hosts:    kubeadm join <the arguments that init returned>`;

await runMain('kubeadm', async ({ argv, env, signal }) => {
  const root = group('kubeadm', about, [
    certsCommand,
    configCommand,
    initCommand,
    joinCommand,
    kubeconfigCommand,
    resetCommand,
    tokenCommand,
    upgradeCommand,
    versionCommand,
  ]);
  await runCommand(root, argv, {
    clock: systemClock,
    env,
    signal,
    print: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
  });
});
