import { systemClock } from '#base/clock.ts';
import { runMain } from '#base/lifecycle.ts';
import { certsCommand } from './certs/commands.ts';
import { group, runCommand } from './command.ts';
import { configCommand } from './config/commands.ts';
import { initCommand } from './init/command.ts';
import { joinCommand } from './join/command.ts';
import { resetCommand } from './reset/command.ts';
import { kubeconfigCommand } from './kubeconfig/commands.ts';
import { tokenCommand } from './token/commands.ts';
import { upgradeCommand } from './upgrade/command.ts';
import { versionCommand } from './version-command.ts';

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
