// `kubeadm join`: a worker, or with --control-plane a further control plane.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { type Command, command } from '../command.ts';
import { foldersAt } from '../folders.ts';
import { readPatches } from '../manifests/patches.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { joinFlags, loadJoin } from './flags.ts';
import { type JoinStep, joinSteps } from './steps.ts';
import { JoinJob } from './join-job.ts';

export const joinCommand: Command = command({
  name: 'join',
  about: 'Run this on any machine you wish to join an existing cluster',
  flags: joinFlags,
  maxArgs: 1,
  async run({ flags, given, args, host }) {
    const config = loadJoin(flags, given, args);
    const unknown = config.skippedPhases.find((name) => !joinSteps.some((step) => step.name === name));
    if (unknown !== undefined) throw new UsageError(`invalid phase name: ${unknown}`);
    const certificates = config.caFile.replace(/\/[^/]+$/, '');
    // A dry run writes its files into a folder of its own.
    const base = config.isDryRun ? mkdtempSync(join(tmpdir(), 'kubeadm-join-dryrun')) : '';
    if (config.isDryRun) host.print(`[dryrun] Files are written below ${base} and nothing is started\n`);
    await using job = new JoinJob({
      config,
      folders: foldersAt(certificates, base),
      shown: foldersAt(certificates),
      patches: readPatches(config.patchesFolder),
      host: { ...host, patienceMs: config.timeouts.kubernetesAPICall },
      facts: hostFacts(host.env, config.local.node.criSocket),
    });
    const steps: readonly JoinStep[] = joinSteps.filter(
      ({ name, for: whom }) => !config.skippedPhases.includes(name) && (whom === 'all' || config.controlPlane !== undefined),
    );
    for (const { run } of steps) await run(job);
    if (config.isDryRun) return;
    host.print(config.controlPlane === undefined ? workerFarewell : controlPlaneFarewell(job));
  },
});

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
