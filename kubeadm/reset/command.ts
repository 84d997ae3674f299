// `kubeadm reset`: takes this host out of its cluster, as far as that can be reached, and removes what init or join made.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parse } from 'yaml';
import { endpoints } from '#api/core/endpoints.ts';
import { boolFlag, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect } from '#client/rest.ts';
import { EtcdMembers } from '../cluster/etcd-members.ts';
import { type Command, command } from '../command.ts';
import { defaultCluster, dockerSocket, kubernetesFolder } from '../config/cluster.ts';
import { runningPid, stopHostAgent } from '../host-agent.ts';
import { clientUrlOf } from '../manifests/components.ts';
import { isPrivilegedUser } from '../preflight/checks.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { runChecks } from '../preflight/run.ts';
import type { Surroundings } from '../surroundings.ts';

const etcdLimitMs = 20_000;
const stopLimitMs = 60_000;

export const resetCommand: Command = command({
  name: 'reset',
  about: "Performs a best effort revert of changes made to this host by 'kubeadm init' or 'kubeadm join'",
  flags: {
    'cert-dir': stringFlag(
      defaultCluster.certificatesDir,
      'The path to the directory where the certificates are stored. If specified, clean this directory.',
    ),
    'cleanup-tmp-dir': boolFlag(false, 'Accepted for compatibility: nothing is kept there'),
    force: boolFlag(false, 'Reset the node without prompting for confirmation.', { short: 'f' }),
    'ignore-preflight-errors': listFlag(
      [],
      "A list of checks whose errors will be shown as warnings. Example: 'IsPrivilegedUser,Swap'. Value 'all' ignores errors from all checks.",
    ),
  },
  async run({ flags, host }) {
    host.print('[reset] Reading configuration of this host...\n');
    host.print('[preflight] Running pre-flight checks\n');
    await runChecks([isPrivilegedUser], hostFacts(host.env, dockerSocket), flags['ignore-preflight-errors'], host);
    if (!flags.force) await confirm(host);
    await leaveEtcd(flags['cert-dir'], host);
    host.print('[reset] Stopping the kubelet service and the components of this host\n');
    await stop(host);
    host.print('[reset] Removing pods, their network and the rules of Services\n');
    try {
      execFileSync(process.execPath, [join(import.meta.dirname, 'coxswain.js'), 'node', '--wipe'], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      host.warn(`[reset] not everything of the pods could be removed: ${reasonOf(error)}\n`);
    }
    removeFiles(flags['cert-dir'], host);
    host.print(farewell);
  },
});

async function confirm({ print, signal }: Surroundings): Promise<void> {
  print("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.\n");
  const lines = createInterface({ input: process.stdin });
  try {
    print('[reset] Are you sure you want to proceed? [y/N]: ');
    const answer = await lines.question('', { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('aborted reset operation', { exitCode: 1 });
  } finally {
    lines.close();
  }
}

/** A member that just vanished would count against the others' majority. */
async function leaveEtcd(certFolder: string, host: Surroundings): Promise<void> {
  const manifest = join(kubernetesFolder, 'manifests/etcd.yaml');
  if (!existsSync(manifest)) return;
  try {
    using limit = host.clock.deadline(host.signal, etcdLimitMs);
    const own = ownPeerUrl(readFileSync(manifest, 'utf8'));
    await using client = connect(findEndpoint({ path: join(kubernetesFolder, 'admin.conf'), env: {} }), {
      clock: host.clock,
      component: 'kubeadm',
    });
    const found = await client.get(endpoints, { namespace: 'default', name: 'kubernetes' }, limit.signal);
    const urls = (found.subsets ?? []).flatMap(({ addresses = [] }) => addresses).map(({ ip }) => clientUrlOf(ip));
    const members = new EtcdMembers(urls, certFolder);
    const all = await members.list(limit.signal);
    const self = all.find(({ peerUrl }) => peerUrl === own);
    if (self === undefined || all.length === 1) return;
    await members.remove(self.id, limit.signal);
    host.print('[reset] Removed this host from the etcd cluster\n');
  } catch (error) {
    host.signal.throwIfAborted();
    host.warn(`[reset] Failed to remove the etcd member: ${reasonOf(error)}, please remove it by hand\n`);
  }
}

function ownPeerUrl(manifest: string): string {
  const pod = parse(manifest) as { spec?: { containers?: readonly { command?: readonly string[] }[] } };
  const flag = '--initial-advertise-peer-urls=';
  return pod.spec?.containers?.[0]?.command?.find((word) => word.startsWith(flag))?.slice(flag.length) ?? '';
}

async function stop({ clock, signal }: Surroundings): Promise<void> {
  stopHostAgent();
  const startMs = clock.monotonicMs();
  while (runningPid() !== undefined) {
    if (clock.monotonicMs() - startMs > stopLimitMs) throw new UsageError('the components of this host do not end', { exitCode: 4 });
    await clock.sleep(100, signal);
  }
}

function removeFiles(certFolder: string, { print }: Surroundings): void {
  const folders = [join(kubernetesFolder, 'manifests'), certFolder];
  print(`[reset] Deleting contents of directories: [${folders.join(' ')}]\n`);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  const files = [
    'admin.conf',
    'super-admin.conf',
    'kubelet.conf',
    'bootstrap-kubelet.conf',
    'controller-manager.conf',
    'scheduler.conf',
    'dns.conf',
  ];
  print(`[reset] Deleting files: [${files.map((file) => join(kubernetesFolder, file)).join(' ')}]\n`);
  for (const file of files) rmSync(join(kubernetesFolder, file), { force: true });
  const stateful = ['/var/lib/kubelet', '/var/lib/etcd', '/var/lib/coxswain/node'].filter((path) => existsSync(path));
  print(`[reset] Deleting contents of stateful directories: [${stateful.join(' ')}]\n`);
  for (const path of stateful) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const farewell = `
The reset process does not touch the kubeconfig files of users and does not remove this host's Node from the cluster:
kubectl delete node NAME, on a control plane that stays, does that.

Please, check the contents of the $HOME/.kube/config file.
`;
