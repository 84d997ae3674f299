// The phases that only write files of this host.
import { existsSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';
import { authorities, certificates } from '../certs/certificates.ts';
import { type CertificateJob, createAuthority, createCertificate, createServiceAccountKeyFiles } from '../certs/create.ts';
import { createKubeconfig, dnsKubeconfig, kubeconfigs } from '../kubeconfig/kubeconfigs.ts';
import { initChecks, isPrivilegedUser } from '../preflight/checks.ts';
import { runChecks } from '../preflight/run.ts';
import type { InitJob, InitPhase } from './phase.ts';

export const preflight: InitPhase = {
  name: 'preflight',
  about: 'Run pre-flight checks',
  run: async (job) => {
    const { config, document, facts, flags, folders, host } = job;
    host.print('[preflight] Running pre-flight checks\n');
    const ignored = [...flags['ignore-preflight-errors'], ...(document.nodeRegistration?.ignorePreflightErrors ?? [])];
    await runChecks([isPrivilegedUser], facts, ignored, host);
    await runChecks(initChecks(config, folders), facts, ignored, host);
  },
};

const certificateJob = ({ config, folders, host }: InitJob): CertificateJob => ({ config, folder: folders.certificates, host });

export const certs: InitPhase = {
  name: 'certs',
  about: 'Certificate generation',
  run: ({ shown, host }) => host.print(`[certs] Using certificateDir folder ${JSON.stringify(shown.certificates)}\n`),
  parts: [
    ...authorities.flatMap((authority) => [
      {
        name: authority.name,
        about: `Generate the ${authority.about}`,
        run: (job: InitJob) => createAuthority(authority, certificateJob(job)),
      },
      ...certificates
        .filter(({ ca }) => ca === authority.name)
        .map((spec) => ({
          name: spec.name,
          about: `Generate the ${spec.about}`,
          run: (job: InitJob) => createCertificate(spec, certificateJob(job)),
        })),
    ]),
    {
      name: 'sa',
      about: 'Generate a private key for signing service account tokens along with its public key',
      run: (job) => createServiceAccountKeyFiles(certificateJob(job)),
    },
  ],
};

export const kubeconfig: InitPhase = {
  name: 'kubeconfig',
  about: 'Generate all kubeconfig files necessary to establish the control plane and the admin kubeconfig file',
  run(job) {
    refuseUnsignedDns(job);
    job.host.print(`[kubeconfig] Using kubeconfig folder ${JSON.stringify(job.shown.kubernetes)}\n`);
  },
  parts: kubeconfigs.map((spec) => ({
    name: spec.phase,
    about: `Generate a kubeconfig file for ${spec.about}`,
    run: async ({ config, folders, host }) => {
      if (!existsSync(`${folders.certificates}/ca.key`) && existsSync(`${folders.kubernetes}/${spec.file}`)) {
        host.print(`[kubeconfig] External CA mode: Using user provided ${spec.file}\n`);
        return;
      }
      await createKubeconfig(spec, { config, certFolder: folders.certificates, folder: folders.kubernetes, host });
    },
  })),
};

/** With an authority elsewhere, the DNS server's kubeconfig has to be there: better said before anything runs than at the end. */
function refuseUnsignedDns({ flags, document, folders, shown }: InitJob): void {
  const skipped = [...flags['skip-phases'], ...(document.skipPhases ?? [])];
  if (skipped.some((name) => name === 'addon' || name === 'addon/coredns') || existsSync(`${folders.certificates}/ca.key`)) return;
  if (existsSync(`${folders.kubernetes}/${dnsKubeconfig.file}`)) return;
  throw new UsageError(
    `${shown.certificates} has no ca.key to sign ${shown.kubernetes}/${dnsKubeconfig.file} with: have its request of "kubeadm certs generate-csr" signed as the others, or skip the phase addon/coredns`,
    { exitCode: 1 },
  );
}
