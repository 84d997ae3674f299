// The phases of `kubeadm join`, in order. Each may be repeated after a failure: what is there is kept.
import { parse } from 'yaml';
import { endpoints } from '#api/core/endpoints.ts';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { NotYet, patiently } from '../cluster/put.ts';
import { markNode } from '../init/cluster-phases.ts';
import type { Phase } from '../phase.ts';
import { cgroupDriver, initChecks, isPrivilegedUser, joinChecks } from '../preflight/checks.ts';
import { runChecks } from '../preflight/run.ts';
import { refuseAbsentCertificates, preparePhases } from './control-plane-phases.ts';
import { joinEtcd } from './etcd-join.ts';
import type { JoinJob } from './join-job.ts';
import { logOf } from '../host-agent.ts';
import { startKubelet, waitForKubelet } from './kubelet-phases.ts';

type JoinPhase = Phase<JoinJob>;

/** A worker passes it over. */
function ofControlPlanes({ run, parts, ...rest }: JoinPhase): JoinPhase {
  return {
    ...rest,
    ...(run === undefined ? {} : { run: (job) => (job.config.controlPlane === undefined ? undefined : run(job)) }),
    ...(parts === undefined ? {} : { parts: parts.map(ofControlPlanes) }),
  };
}

export const joinPhases: readonly JoinPhase[] = [
  { name: 'preflight', about: 'Run join pre-flight checks', run: preflight },
  ofControlPlanes({ name: 'control-plane-prepare', about: 'Prepare the machine for serving a control plane', parts: preparePhases }),
  { name: 'kubelet-start', about: 'Write kubelet settings, certificates and (re)start the kubelet', run: startKubelet },
  ofControlPlanes({ name: 'etcd-join', about: 'Join etcd for control plane nodes', run: joinEtcd }),
  { name: 'kubelet-wait-bootstrap', about: 'Wait for the kubelet to bootstrap itself', run: waitForKubelet },
  ofControlPlanes({
    name: 'control-plane-join',
    about: 'Join a machine as a control plane instance',
    parts: [{ name: 'mark-control-plane', about: 'Mark a node as a control-plane', run: markControlPlane }],
  }),
  ofControlPlanes({ name: 'wait-control-plane', about: 'Wait for the control plane to start', run: waitForControlPlane }),
];

async function preflight(job: JoinJob): Promise<void> {
  const { config, facts, folders, host } = job;
  host.print('[preflight] Running pre-flight checks\n');
  await runChecks([isPrivilegedUser], facts, config.ignoredErrors, host);
  const { controlPlane } = config;
  const place = { kubernetes: folders.kubernetes, caFile: controlPlane === undefined ? config.caFile : undefined };
  await runChecks(joinChecks(config.local.node.name, place), facts, config.ignoredErrors, host);
  const init = await job.initConfiguration();
  const { cgroupDriver: driver } = (parse(await job.kubeletConfiguration()) ?? {}) as { cgroupDriver?: unknown };
  await runChecks([cgroupDriver(driver)], facts, config.ignoredErrors, host);
  if (controlPlane === undefined) return;
  if (init.cluster.controlPlaneEndpoint === '') {
    throw new UsageError(
      "one or more conditions for hosting a new control plane instance is not satisfied.\n\nunable to add a new control plane instance to a cluster that doesn't have a stable controlPlaneEndpoint address\n\nPlease ensure that:\n* The cluster has a stable controlPlaneEndpoint address.\n* The certificates that must be shared among control plane instances are provided.",
      { exitCode: 1 },
    );
  }
  if (controlPlane.certificateKey === '') refuseAbsentCertificates(init.cluster, job.shown.certificates);
  host.print('[preflight] Running pre-flight checks before initializing the new control plane instance\n');
  const downloadsCertificates = controlPlane.certificateKey !== '';
  await runChecks(initChecks(init, folders, { place: 'further', downloadsCertificates }), facts, config.ignoredErrors, host);
}

async function markControlPlane(job: JoinJob): Promise<void> {
  const { host, config } = job;
  await markNode({ host, client: () => job.adminClient(), timeouts: config.timeouts }, config.local, config);
}

async function waitForControlPlane(job: JoinJob): Promise<void> {
  const { host, config } = job;
  const { advertiseAddress } = config.local;
  const patienceMs = config.timeouts.controlPlaneComponentHealthCheck;
  host.print(`[wait-control-plane] Waiting for the API server of this host. This can take up to ${formatDuration(patienceMs)}\n`);
  if (config.isDryRun) return;
  await patiently({ ...host, patienceMs, hint: `see ${logOf('kube-apiserver')}` }, async () => {
    const found = await job.adminClient().get(endpoints, { namespace: 'default', name: 'kubernetes' }, host.signal);
    const isThere = (found.subsets ?? []).some(({ addresses = [] }) => addresses.some(({ ip }) => ip === advertiseAddress));
    if (!isThere) throw new NotYet(`${advertiseAddress} is no endpoint of the kubernetes Service`);
  });
}
