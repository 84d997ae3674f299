// The phases of `kubeadm reset`: each may be repeated, and goes on where something is missing already.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { endpoints } from '#api/core/endpoints.ts';
import { UsageError } from '#base/lifecycle.ts';
import { mountPointsBelow } from '#base/mount-points.ts';
import { reasonOf } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect } from '#client/rest.ts';
import { EtcdMembers } from '../cluster/etcd-members.ts';
import { kubernetesFolder } from '../config/cluster.ts';
import { confirm } from '../confirm.ts';
import { runningPid, stopHostAgent } from '../host-agent.ts';
import { clientUrlOf } from '../manifests/components.ts';
import type { Phase } from '../phase.ts';
import { isPrivilegedUser } from '../preflight/checks.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { runChecks } from '../preflight/run.ts';
import type { Surroundings } from '../surroundings.ts';
import type { ResetOptions } from './flags.ts';
import { removeTree } from './remove-tree.ts';

export interface ResetJob extends ResetOptions, AsyncDisposable {
  readonly host: Surroundings;
}

const etcdLimitMs = 20_000;
const stopLimitMs = 60_000;
const etcdManifest = join(kubernetesFolder, 'manifests/etcd.yaml');
const temporaryFolder = join(kubernetesFolder, 'tmp');

export const resetPhases: readonly Phase<ResetJob>[] = [
  { name: 'preflight', about: 'Run reset pre-flight checks', run: preflight },
  { name: 'remove-etcd-member', about: 'Remove a local etcd member.', run: removeMember },
  { name: 'cleanup-node', about: 'Run cleanup node.', run: cleanUp },
];

async function preflight({ host, ignoredErrors, criSocket, isForced, isDryRun }: ResetJob): Promise<void> {
  host.print('[preflight] Running pre-flight checks\n');
  await runChecks([isPrivilegedUser], hostFacts(host.env, criSocket), ignoredErrors, host);
  if (isForced || isDryRun) return;
  host.print("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.\n");
  await confirm(host, '[reset] Are you sure you want to proceed? [y/N]: ', 'aborted reset operation');
}

async function removeMember(job: ResetJob): Promise<void> {
  const { host } = job;
  if (!existsSync(etcdManifest)) {
    host.print('[reset] No etcd config found. Assuming external etcd\n[reset] Please, manually reset etcd to prevent further issues\n');
    return;
  }
  const { peerUrl, dataDir } = etcdOf(readFileSync(etcdManifest, 'utf8'));
  if (job.isDryRun) {
    host.print('[reset] Would remove the etcd member on this node from the etcd cluster\n');
    host.print(`[reset] Would delete contents of the etcd data directory: ${dataDir}\n`);
    return;
  }
  await leaveEtcd(job, peerUrl);
}

/** A member that just vanished would count against the others' majority. */
async function leaveEtcd({ certFolder, kubeconfig, host }: ResetJob, own: string): Promise<void> {
  try {
    using limit = host.clock.deadline(host.signal, etcdLimitMs);
    await using client = connect(findEndpoint({ path: kubeconfig, env: {} }), {
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

/** What a manifest says of the member of this host. */
export function etcdOf(manifest: string): { readonly peerUrl: string; readonly dataDir: string } {
  const pod = parse(manifest) as { spec?: { containers?: readonly { command?: readonly string[] }[] } };
  const valueOf = (flag: string): string | undefined =>
    pod.spec?.containers?.[0]?.command?.find((word) => word.startsWith(`--${flag}=`))?.slice(flag.length + 3);
  return { peerUrl: valueOf('initial-advertise-peer-urls') ?? '', dataDir: valueOf('data-dir') ?? '/var/lib/etcd' };
}

async function cleanUp(job: ResetJob): Promise<void> {
  const { host, isDryRun } = job;
  const will = isDryRun ? 'Would' : '';
  host.print(`[reset] ${will === '' ? 'Stopping' : 'Would stop'} the kubelet service and the components of this host\n`);
  // Said by a manifest that is about to go.
  const { dataDir } = existsSync(etcdManifest) ? etcdOf(readFileSync(etcdManifest, 'utf8')) : { dataDir: '/var/lib/etcd' };
  if (!isDryRun) await stop(host);
  host.print(`[reset] ${will === '' ? 'Removing' : 'Would remove'} pods, their network and the rules of Services\n`);
  if (!isDryRun) wipePods(host);
  removeFiles(job, dataDir);
}

function wipePods(host: Surroundings): void {
  try {
    execFileSync(process.execPath, [join(import.meta.dirname, 'coxswain.js'), 'node', '--wipe'], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    host.warn(`[reset] not everything of the pods could be removed: ${reasonOf(error)}\n`);
  }
}

async function stop({ clock, signal }: Surroundings): Promise<void> {
  stopHostAgent();
  const startMs = clock.monotonicMs();
  while (runningPid() !== undefined) {
    if (clock.monotonicMs() - startMs > stopLimitMs) throw new UsageError('the components of this host do not end', { exitCode: 4 });
    await clock.sleep(100, signal);
  }
}

function removeFiles({ certFolder, cleansTemporary, isDryRun, host: { print, warn } }: ResetJob, etcdFolder: string): void {
  const delete_ = isDryRun ? 'Would delete' : 'Deleting';
  const remove = (path: string): void => {
    if (isDryRun) return;
    const kept = removeTree(path, mountPointsBelow(path));
    if (kept.length > 0) warn(`[reset] Left alone, since something is still mounted there: ${kept.join(' ')}\n`);
  };
  const folders = [join(kubernetesFolder, 'manifests'), certFolder, ...(cleansTemporary ? [temporaryFolder] : [])];
  print(`[reset] ${delete_} contents of directories: [${folders.join(' ')}]\n`);
  folders.forEach(remove);
  const files = ['admin', 'super-admin', 'kubelet', 'bootstrap-kubelet', 'controller-manager', 'scheduler', 'dns'].map((name) =>
    join(kubernetesFolder, `${name}.conf`),
  );
  print(`[reset] ${delete_} files: [${files.join(' ')}]\n`);
  files.forEach(remove);
  const stateful = ['/var/lib/kubelet', etcdFolder, '/var/lib/coxswain/node'].filter((path) => existsSync(path));
  print(`[reset] ${delete_} contents of stateful directories: [${stateful.join(' ')}]\n`);
  stateful.forEach(remove);
}
