// `kubeadm join`: a worker, or with --control-plane a further control plane.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Call, type Command, command } from '../command.ts';
import { foldersAt } from '../folders.ts';
import { readPatches } from '../manifests/patches.ts';
import { phaseCommand, phaseList, refuseUnknownPhases, runPhases } from '../phase.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { joinFlags, loadJoin } from './flags.ts';
import { JoinJob } from './join-job.ts';
import { joinPhases } from './phases.ts';

export const joinCommand: Command = command({
  name: 'join',
  about: 'Run this on any machine you wish to join an existing cluster',
  details: phaseList('join', joinPhases),
  flags: joinFlags,
  maxArgs: 1,
  commands: [phaseCommand(joinPhases, { name: 'join', flags: joinFlags, maxArgs: 1, prepare })],
  async run(call) {
    await using job = prepare(call);
    const { config, host } = job;
    refuseUnknownPhases(joinPhases, config.skippedPhases);
    await runPhases(joinPhases, job, config.skippedPhases);
    if (config.isDryRun) return;
    host.print(config.controlPlane === undefined ? workerFarewell : controlPlaneFarewell(job));
  },
});

function prepare({ flags, given, args, host }: Call<typeof joinFlags>): JoinJob {
  const config = loadJoin(flags, given, args);
  const certificates = config.caFile.replace(/\/[^/]+$/, '');
  // A dry run writes its files into a folder of its own, and nothing secret among them.
  const base = config.isDryRun ? mkdtempSync(join(tmpdir(), 'kubeadm-join-dryrun')) : '';
  if (config.isDryRun) host.print(`[dryrun] Files are written below ${base}, with keys that no cluster knows, and nothing is started\n`);
  return new JoinJob({
    config,
    folders: foldersAt(certificates, base),
    shown: foldersAt(certificates),
    patches: readPatches(config.patchesFolder),
    host: { ...host, patienceMs: config.timeouts.kubernetesAPICall },
    facts: hostFacts(host.env, config.local.node.criSocket),
  });
}

const workerFarewell = `
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
* The Kubelet was informed of the new secure connection details.

Run 'kubectl get nodes' on the control-plane to see this node join the cluster.

`;

function controlPlaneFarewell({ folders, hasOwnEtcd }: JoinJob): string {
  const etcd = hasOwnEtcd ? '* A new etcd member was added to the local/stacked etcd cluster.\n' : '';
  return `
This node has joined the cluster and a new control plane instance was created:

* Certificate signing request was sent to apiserver and approval was received.
* The Kubelet was informed of the new secure connection details.
* Control plane label and taint were applied to the new node.
* The Kubernetes control plane instances scaled up.
${etcd}
To start administering your cluster from this node, you need to run the following as a regular user:

\tmkdir -p $HOME/.kube
\tsudo cp -i ${folders.kubernetes}/admin.conf $HOME/.kube/config
\tsudo chown $(id -u):$(id -g) $HOME/.kube/config

Run 'kubectl get nodes' to see this node join the cluster.

`;
}
