// What can end and be renewed on a control plane: certificates in files and those inside of kubeconfigs, in upstream's order and names,
// and that of the DNS server.
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { type KeyPair, requestOf, signCertificate } from '#base/pki.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { findEndpoint, readKubeconfig } from '#client/kubeconfig.ts';
import { allKubeconfigs, kubeconfigOf } from '../kubeconfig/kubeconfigs.ts';
import { type AuthoritySpec, certificates } from './certificates.ts';
import { authorityOf } from './create.ts';
import { certPath, keyPath, readCertificate, readPair, writePair } from './key-files.ts';

export interface Folders {
  readonly certFolder: string;
  readonly kubeconfigFolder: string;
}

export interface Renewable {
  readonly name: string;
  readonly about: string;
  readonly ca: AuthoritySpec;
  exists(folders: Folders): boolean;
  /** The certificate's PEM text. */
  read(folders: Folders): string;
  write(folders: Folders, pair: KeyPair): void;
}

/** All of them, sorted by name. */
export const renewables: readonly Renewable[] = [
  ...certificates.map(
    (spec): Renewable => ({
      name: spec.name,
      about: spec.about,
      ca: authorityOf(spec),
      exists: ({ certFolder }) => existsSync(certPath(certFolder, spec.baseName)),
      read: ({ certFolder }) => readCertificate(certFolder, spec.baseName),
      write: ({ certFolder }, pair) => writePair(certFolder, spec.baseName, pair),
    }),
  ),
  // The kubelet rotates its own.
  ...allKubeconfigs
    .filter(({ phase }) => phase !== 'kubelet')
    .map(
      ({ file, about }): Renewable => ({
        name: file,
        about: `certificate embedded in the kubeconfig file for ${about}`,
        ca: authorityOf({ ca: 'ca' }),
        exists: ({ kubeconfigFolder }) => existsSync(join(kubeconfigFolder, file)),
        read: ({ kubeconfigFolder }) => readEmbedded(join(kubeconfigFolder, file)).pair.cert,
        write: ({ kubeconfigFolder }, pair) => {
          const path = join(kubeconfigFolder, file);
          writeFileAtomically(path, kubeconfigOf({ ...readEmbedded(path), pair }));
        },
      }),
    ),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** True when the CA's key is held elsewhere, so that nothing can be signed here. */
export function isExternal(ca: AuthoritySpec, { certFolder }: Folders): boolean {
  return !existsSync(keyPath(certFolder, ca.baseName));
}

/** When the certificate ends, in ms since 1970. */
export function endMs(cert: string): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

/** Makes it anew with a new key and the same subject, names and usages. */
export async function renew(what: Renewable, folders: Folders, { nowMs, validDays }: { nowMs: number; validDays: number }): Promise<void> {
  const ca = readPair(folders.certFolder, what.ca.baseName);
  what.write(folders, await signCertificate(ca, { ...requestOf(what.read(folders)), validDays }, nowMs));
}

function readEmbedded(path: string): Parameters<typeof kubeconfigOf>[0] {
  const { contexts, currentContext } = readKubeconfig([path]);
  const { server, ca = '', credentials } = findEndpoint({ path, env: {} });
  const context = contexts.find(({ name }) => name === currentContext)?.context;
  if (credentials.kind !== 'certificate') throw new UsageError(`${path} carries no client certificate`, { exitCode: 1 });
  return { clusterName: context?.cluster ?? '', user: context?.user ?? '', server, ca, pair: credentials };
}
