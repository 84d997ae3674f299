// `kubeadm init` and `kubeadm init phase …`.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { newCertificateKey } from '../certs/commands.ts';
import { type Command, command } from '../command.ts';
import { foldersAt } from '../folders.ts';
import { readPatches } from '../manifests/patches.ts';
import { hostFacts } from '../preflight/host-facts.ts';
import { phaseCommand, phaseList, refuseUnknownPhases, runPhases } from '../phase.ts';
import type { Surroundings } from '../surroundings.ts';
import { bootstrapToken, markControlPlane, waitControlPlane } from './cluster-phases.ts';
import { controlPlane, etcd, kubeletStart } from './control-plane-phases.ts';
import { initFlags, type InitFlagValues, type LoadedInit, loadInit } from './flags.ts';
import { certs, kubeconfig, preflight } from './local-phases.ts';
import { addon, kubeletFinalize } from './node-phases.ts';
import type { InitJob, InitPhase } from './phase.ts';
import { showJoinCommand } from './show-join-command.ts';
import { tokensFrom } from './tokens.ts';
import { uploadCerts, uploadConfig } from './upload-phases.ts';

const initPhases: readonly InitPhase[] = [
  preflight,
  certs,
  kubeconfig,
  etcd,
  controlPlane,
  kubeletStart,
  waitControlPlane,
  uploadConfig,
  uploadCerts,
  markControlPlane,
  bootstrapToken,
  kubeletFinalize,
  addon,
  showJoinCommand,
];

export const initCommand: Command = command({
  name: 'init',
  about: 'Run this command in order to set up the Kubernetes control plane',
  details: phaseList('init', initPhases),
  flags: initFlags,
  commands: [
    phaseCommand(initPhases, {
      name: 'init',
      flags: initFlags,
      prepare: ({ flags, given, host }) => prepare(loadInit(flags, given), flags, host),
    }),
  ],
  async run({ flags, given, host }) {
    const loaded = loadInit(flags, given);
    const skipped = flags['skip-phases'].length > 0 ? flags['skip-phases'] : (loaded.document.skipPhases ?? []);
    refuseUnknownPhases(initPhases, skipped);
    await using job = prepare(loaded, flags, host);
    host.print(`[init] Using Kubernetes version: ${job.config.cluster.kubernetesVersion}\n`);
    await runPhases(initPhases, job, skipped);
  },
});

function prepare(loaded: LoadedInit, flags: InitFlagValues, surroundings: Surroundings): InitJob & AsyncDisposable {
  const host = { ...surroundings, patienceMs: loaded.timeouts.kubernetesAPICall };
  const isDryRun = flags['dry-run'] || loaded.document.dryRun === true;
  // A dry run writes its files into a folder of its own.
  const base = isDryRun ? mkdtempSync(join(tmpdir(), 'kubeadm-init-dryrun')) : '';
  if (isDryRun) host.print(`[dryrun] Files are written below ${base} and nothing is started\n`);
  const folders = foldersAt(loaded.config.cluster.certificatesDir, base);
  let client: RestClient | undefined;
  return {
    ...loaded,
    flags,
    folders,
    shown: foldersAt(loaded.config.cluster.certificatesDir),
    host,
    isDryRun,
    patches: readPatches(flags.patches || (loaded.document.patches?.directory ?? '')),
    facts: hostFacts(host.env, loaded.config.local.node.criSocket),
    tokens: tokensFrom(flags, loaded.document, host.clock.nowMs()),
    certificateKey: flags['certificate-key'] || (loaded.document.certificateKey ?? newCertificateKey()),
    client() {
      client ??= connect(findEndpoint({ path: join(folders.kubernetes, 'super-admin.conf'), env: {} }), {
        clock: host.clock,
        component: 'kubeadm',
      });
      return client;
    },
    async [Symbol.asyncDispose]() {
      await client?.[Symbol.asyncDispose]();
    },
  };
}
