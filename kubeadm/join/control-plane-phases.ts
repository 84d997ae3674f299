// The phases that make files of a further control plane: what all of them share, and what is its own.
import { existsSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';
import { authorities } from '../certs/certificates.ts';
import { createAllCertificates, createAuthority, createServiceAccountKeyFiles } from '../certs/create.ts';
import { type CertificatesPlace, downloadCertificates, openCertificates, sharedFiles } from '../cluster/uploaded-certificates.ts';
import type { ClusterConfiguration } from '../config/cluster.ts';
import { controlPlanePods } from '../init/control-plane-phases.ts';
import { createKubeconfig, kubeconfigs } from '../kubeconfig/kubeconfigs.ts';
import { writeManifest } from '../manifests/component-pod.ts';
import type { Phase } from '../phase.ts';
import type { JoinJob } from './join-job.ts';

export const preparePhases: readonly Phase<JoinJob>[] = [
  {
    name: 'download-certs',
    about: 'Download certificates shared among control-plane nodes from the kubeadm-certs Secret',
    run: download,
  },
  { name: 'certs', about: 'Generate the certificates for the new control plane components', run: createCertificates },
  { name: 'kubeconfig', about: 'Generate the kubeconfig for the new control plane components', run: createKubeconfigs },
  { name: 'control-plane', about: 'Generate the manifests for the new control plane components', run: writeManifests },
];

/** Throws a UsageError that names the files that control planes share and this host has not. */
export function refuseAbsentCertificates(cluster: ClusterConfiguration, folder: string): void {
  const absent = Object.values(sharedFiles(cluster, folder)).filter((path) => path !== '' && !existsSync(path));
  if (absent.length === 0) return;
  throw new UsageError(
    `failure loading certificates that control planes share: ${absent.join(', ')}: give --certificate-key, or copy them from another control plane`,
    { exitCode: 1 },
  );
}

async function download(job: JoinJob): Promise<void> {
  const { config, folders, shown, host } = job;
  const key = config.controlPlane?.certificateKey ?? '';
  if (key === '') return;
  host.print('[download-certs] Downloading the certificates in Secret "kubeadm-certs" in the "kube-system" Namespace\n');
  host.print(`[download-certs] Saving the certificates to the folder: ${JSON.stringify(shown.certificates)}\n`);
  const { cluster } = await job.initConfiguration();
  const place: CertificatesPlace = { host, folder: folders.certificates, cluster, client: await job.bootstrapClient(), key };
  if (config.isDryRun) await openCertificates(place);
  else await downloadCertificates(place);
}

async function createCertificates(job: JoinJob): Promise<void> {
  const { config, folders, shown, host } = job;
  const init = await job.initConfiguration();
  if (config.isDryRun) await makeStandIns(job);
  else refuseAbsentCertificates(init.cluster, folders.certificates);
  host.print(`[certs] Using certificateDir folder ${JSON.stringify(shown.certificates)}\n`);
  await createAllCertificates({ config: init, folder: folders.certificates, host });
}

/** In place of the cluster's authorities, whose keys a dry run writes nowhere: new, untrusted ones. */
async function makeStandIns(job: JoinJob): Promise<void> {
  const quiet = { config: await job.initConfiguration(), folder: job.folders.certificates, host: { ...job.host, print: () => undefined } };
  for (const authority of authorities) await createAuthority(authority, quiet);
  createServiceAccountKeyFiles(quiet);
}

async function createKubeconfigs(job: JoinJob): Promise<void> {
  const { folders, shown, host } = job;
  host.print('[kubeconfig] Generating kubeconfig files\n');
  host.print(`[kubeconfig] Using kubeconfig folder ${JSON.stringify(shown.kubernetes)}\n`);
  const config = await job.initConfiguration();
  for (const spec of kubeconfigs.filter(({ phase }) => ['admin', 'controller-manager', 'scheduler'].includes(phase))) {
    await createKubeconfig(spec, { config, certFolder: folders.certificates, folder: folders.kubernetes, host });
  }
}

async function writeManifests(job: JoinJob): Promise<void> {
  const { folders, shown, host, patches } = job;
  host.print(`[control-plane] Using manifest folder ${JSON.stringify(shown.manifests)}\n`);
  for (const pod of controlPlanePods(await job.initConfiguration(), shown, folders)) {
    host.print(`[control-plane] Creating static Pod manifest for ${JSON.stringify(pod.name)}\n`);
    writeManifest(folders.manifests, pod, patches);
  }
}
