// The kubeconfig files of a control plane: one declaration each. Users and places as upstream's cmd/kubeadm/app/phases/kubeconfig.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { type KeyPair, signCertificate } from '#base/pki.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { readPair } from '../certs/key-files.ts';
import { dnsUser } from '../cluster/dns-rights.ts';
import { clusterUrl, type InitConfiguration, localUrl } from '../config/cluster.ts';
import type { Surroundings } from '../surroundings.ts';

interface KubeconfigSpec {
  /** File name below the kubeconfig folder. */
  readonly file: string;
  readonly phase: string;
  readonly about: string;
  readonly user: (config: InitConfiguration) => string;
  readonly organizations: readonly string[];
  /** A component talks to the API server of its own host, people to that of the whole cluster. */
  readonly server: (config: InitConfiguration) => string;
}

const ownServer = ({ local }: InitConfiguration): string => localUrl(local);

export const kubeconfigs: readonly KubeconfigSpec[] = [
  {
    file: 'admin.conf',
    phase: 'admin',
    about: 'the admin to use and for kubeadm itself',
    user: () => 'kubernetes-admin',
    organizations: ['kubeadm:cluster-admins'],
    server: clusterUrl,
  },
  {
    file: 'super-admin.conf',
    phase: 'super-admin',
    about: 'the super-admin',
    user: () => 'kubernetes-super-admin',
    organizations: ['system:masters'],
    server: clusterUrl,
  },
  {
    file: 'kubelet.conf',
    phase: 'kubelet',
    about: 'the kubelet to use *only* for cluster bootstrapping purposes',
    user: ({ local }) => `system:node:${local.node.name}`,
    organizations: ['system:nodes'],
    server: clusterUrl,
  },
  {
    file: 'controller-manager.conf',
    phase: 'controller-manager',
    about: 'the controller manager to use',
    user: () => 'system:kube-controller-manager',
    organizations: [],
    server: ownServer,
  },
  {
    file: 'scheduler.conf',
    phase: 'scheduler',
    about: 'the scheduler to use',
    user: () => 'system:kube-scheduler',
    organizations: [],
    server: ownServer,
  },
];

/** The DNS server is no pod with a token of its own: it comes to the API server of its host by a certificate, too. */
export const dnsKubeconfig: KubeconfigSpec = {
  file: 'dns.conf',
  phase: 'dns',
  about: 'the DNS server to use',
  user: () => dnsUser,
  organizations: [],
  server: ownServer,
};

/** Whoever has an authority elsewhere sign, and renews, needs all of them. */
export const allKubeconfigs: readonly KubeconfigSpec[] = [...kubeconfigs, dnsKubeconfig];

interface KubeconfigJob {
  readonly config: InitConfiguration;
  /** Where `ca.crt` and `ca.key` are. */
  readonly certFolder: string;
  readonly folder: string;
  readonly host: Surroundings;
}

const dayMs = 86_400_000;

/** Writes one file; one that is there is kept if it leads to this cluster, and refused otherwise. */
export async function createKubeconfig(spec: KubeconfigSpec, job: KubeconfigJob): Promise<void> {
  const { config, certFolder, folder, host } = job;
  const path = join(folder, spec.file);
  const ca = readPair(certFolder, 'ca');
  const server = spec.server(config);
  if (existsSync(path)) {
    const found = findEndpoint({ path, env: {} });
    if (found.ca?.trim() !== ca.cert.trim()) refuse(path, 'has got the wrong CA cert');
    if (found.server !== server) refuse(path, `has got the wrong API Server URL (${found.server} instead of ${server})`);
    host.print(`[kubeconfig] Using existing kubeconfig file: ${JSON.stringify(path)}\n`);
    return;
  }
  host.print(`[kubeconfig] Writing ${JSON.stringify(spec.file)} kubeconfig file\n`);
  await signKubeconfig(spec, job);
}

/** Writes the file, whatever is there. Throws where the authority's key is not on this host. */
export async function signKubeconfig(spec: KubeconfigSpec, { config, certFolder, folder, host }: KubeconfigJob): Promise<void> {
  const ca = readPair(certFolder, 'ca');
  const user = spec.user(config);
  const { certificateValidityMs, encryptionAlgorithm: keyAlgorithm } = config.cluster;
  const request = { commonName: user, organizations: spec.organizations, usages: ['client'] as const, keyAlgorithm };
  const pair = await signCertificate(ca, { ...request, validDays: certificateValidityMs / dayMs }, host.clock.nowMs());
  const { clusterName } = config.cluster;
  writeFileAtomically(join(folder, spec.file), kubeconfigOf({ clusterName, user, server: spec.server(config), ca: ca.cert, pair }));
}

interface UserKubeconfig {
  readonly clusterName: string;
  readonly user: string;
  readonly server: string;
  readonly ca: string;
  readonly pair: KeyPair;
}

/** A kubeconfig's text with the names that kubeadm gives: context `USER@CLUSTER`. */
export function kubeconfigOf({ clusterName, user, server, ca, pair }: UserKubeconfig): string {
  const name = `${user}@${clusterName}`;
  return kubeconfigText({ name, clusterName, userName: user, server, ca, credentials: { kind: 'certificate', ...pair } });
}

function refuse(path: string, reason: string): never {
  throw new UsageError(`a kubeconfig file ${JSON.stringify(path)} exists already but ${reason}`, { exitCode: 1 });
}
