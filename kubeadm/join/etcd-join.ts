// A further member for a stacked etcd: announced without a vote, started, and given its vote once it has caught up.
import { endpoints } from '#api/core/endpoints.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import { EtcdMembers, type Member } from '../cluster/etcd-members.ts';
import { patiently } from '../cluster/put.ts';
import { etcdVersion } from '../init/control-plane-phases.ts';
import { writeManifest } from '../manifests/component-pod.ts';
import { clientUrlOf, etcdPod, peerUrlOf } from '../manifests/components.ts';
import type { JoinJob } from './join-job.ts';

const retryMs = 100;

/** Does nothing for an external etcd. Idempotent: a member that was added before is reused. */
export async function joinEtcd(job: JoinJob): Promise<void> {
  const { config, folders, shown, patches, host } = job;
  const { signal } = host;
  const init = await job.initConfiguration();
  if (!('local' in init.cluster.etcd)) return;
  if (config.isDryRun) return host.print('[etcd] Would add this host to the etcd cluster and write its static Pod manifest\n');
  const own = peerUrlOf(config.local.advertiseAddress);
  const members = new EtcdMembers(await otherMembers(job), folders.certificates);
  // etcd takes no new member while another one is still finding its place.
  const member = await eventually(job, 'etcd did not take a new member', async () => {
    const known = (await members.list(signal)).find(({ peerUrl }) => peerUrl === own);
    return known ?? (await members.addLearner(own, signal));
  });
  host.print('[etcd] Announced new etcd member joining to the existing etcd cluster\n');
  host.print('[etcd] Creating static Pod manifest for "etcd"\n');
  const others = (await members.list(signal)).filter(({ peerUrl, name }) => peerUrl !== own && name !== '');
  writeManifest(folders.manifests, etcdPod(init, shown, others, etcdVersion()), patches);
  host.print(
    `[etcd] Waiting for the new etcd member to join the cluster. This can take up to ${formatDuration(config.timeouts.etcdAPICall)}\n`,
  );
  await eventually(job, 'the new member did not catch up', async () => {
    const now = (await members.list(signal)).find(({ id }) => id === member.id);
    if (now?.isLearner !== false) await members.promote(member.id, signal);
  });
}

/** Client addresses: an API server runs beside each member. */
async function otherMembers(job: JoinJob): Promise<readonly string[]> {
  const { config, host } = job;
  const client = job.adminClient();
  const found = await patiently(host, () => client.get(endpoints, { namespace: 'default', name: 'kubernetes' }, host.signal));
  const addresses = (found.subsets ?? []).flatMap((subset) => subset.addresses ?? []).map(({ ip }) => ip);
  return addresses.filter((ip) => ip !== config.local.advertiseAddress).map(clientUrlOf);
}

async function eventually<R extends Member | void>({ host, config }: JoinJob, what: string, work: () => Promise<R>): Promise<R> {
  const { clock, signal } = host;
  const startMs = clock.monotonicMs();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (clock.monotonicMs() - startMs > config.timeouts.etcdAPICall) {
        throw new UsageError(`error execution phase etcd-join: ${what}: ${reasonOf(error)}`, { exitCode: 4, cause: error });
      }
    }
    await clock.sleep(retryMs, signal);
  }
}
