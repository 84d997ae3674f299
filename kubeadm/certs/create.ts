// Makes what is missing below the certificates' folder. What is there is kept, if the right authority signed it: a cluster's identity never
// changes by accident.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { createCa, createServiceAccountKeys, publicKeyPem, signCertificate } from '#base/pki.ts';
import { reasonOf, writeFileAtomically } from '#base/write-file.ts';
import type { InitConfiguration } from '../config/cluster.ts';
import type { Surroundings } from '../surroundings.ts';
import { type AuthoritySpec, authorities, type CertificateSpec, certificates, localEtcd } from './certificates.ts';
import { keyPath, pairExists, readCertificate, readPair, writePair } from './key-files.ts';

export interface CertificateJob {
  readonly config: InitConfiguration;
  /** Where the files go; another folder than the configuration's in a dry run. */
  readonly folder: string;
  readonly host: Surroundings;
}

const dayMs = 86_400_000;

/** Everything a control plane needs, in upstream's order. */
export async function createAllCertificates(job: CertificateJob): Promise<void> {
  for (const authority of authorities) {
    await createAuthority(authority, job);
    for (const spec of certificates.filter(({ ca }) => ca === authority.name)) await createCertificate(spec, job);
  }
  createServiceAccountKeyFiles(job);
}

export async function createAuthority(spec: AuthoritySpec, job: CertificateJob): Promise<void> {
  const { config, folder, host } = job;
  if (isOfOtherEtcd(spec.name, config)) {
    host.print(`[certs] External etcd mode: Skipping ${spec.baseName} certificate authority generation\n`);
    return;
  }
  if (pairExists(folder, spec.baseName)) {
    const hasKey = existsSync(keyPath(folder, spec.baseName));
    const cert = hasKey ? readPair(folder, spec.baseName).cert : readCertificate(folder, spec.baseName);
    if (!new X509Certificate(cert).ca) throw new UsageError(`certificate ${JSON.stringify(spec.name)} is not a CA`, { exitCode: 1 });
    host.print(`[certs] Using existing ${spec.baseName} ${hasKey ? '' : 'keyless '}certificate authority\n`);
    return;
  }
  host.print(`[certs] Generating ${JSON.stringify(spec.baseName)} certificate and key\n`);
  const { caCertificateValidityMs, encryptionAlgorithm } = config.cluster;
  const options = { validDays: caCertificateValidityMs / dayMs, keyAlgorithm: encryptionAlgorithm };
  writePair(folder, spec.baseName, await createCa(spec.commonName, host.clock.nowMs(), options));
}

export async function createCertificate(spec: CertificateSpec, job: CertificateJob): Promise<void> {
  const { config, folder, host } = job;
  if (isOfOtherEtcd(spec.ca, config)) {
    host.print(`[certs] External etcd mode: Skipping ${spec.baseName} certificate generation\n`);
    return;
  }
  const authority = authorityOf(spec);
  if (pairExists(folder, spec.baseName)) {
    const { cert } = readPair(folder, spec.baseName);
    if (!isSignedBy(cert, readCertificate(folder, authority.baseName))) {
      throw new UsageError(
        `[certs] certificate ${spec.baseName} not signed by CA certificate ${authority.baseName}: ${folder}/${spec.baseName}.crt`,
        {
          exitCode: 1,
        },
      );
    }
    host.print(`[certs] Using existing ${spec.baseName} certificate and key on disk\n`);
    return;
  }
  const ca = readPair(folder, authority.baseName);
  const { certificateValidityMs, encryptionAlgorithm } = config.cluster;
  const request = { ...spec.request(config), validDays: certificateValidityMs / dayMs, keyAlgorithm: encryptionAlgorithm };
  host.print(`[certs] Generating ${JSON.stringify(spec.baseName)} certificate and key\n`);
  writePair(folder, spec.baseName, await signCertificate(ca, request, host.clock.nowMs()));
  if (!request.usages.includes('server')) return;
  const { dnsNames = [], ips = [] } = request;
  host.print(`[certs] ${spec.baseName} serving cert is signed for DNS names [${dnsNames.join(' ')}] and IPs [${ips.join(' ')}]\n`);
}

/** The key pair that service-account tokens are signed with. */
export function createServiceAccountKeyFiles({ folder, host }: CertificateJob): void {
  const [publicPath, privatePath] = [join(folder, 'sa.pub'), keyPath(folder, 'sa')];
  if (existsSync(privatePath)) {
    try {
      // Where only the private half was kept, the public one follows from it.
      if (!existsSync(publicPath)) writeFileAtomically(publicPath, publicKeyPem(readFileSync(privatePath, 'utf8')));
      else publicKeyPem(readFileSync(privatePath, 'utf8'));
    } catch (error) {
      throw new UsageError(`"sa" key existed but it could not be loaded properly: ${privatePath}: ${reasonOf(error)}`, {
        exitCode: 1,
        cause: error,
      });
    }
    host.print('[certs] Using the existing "sa" key\n');
    return;
  }
  host.print('[certs] Generating "sa" key and public key\n');
  const { publicKey, privateKey } = createServiceAccountKeys();
  writeFileAtomically(publicPath, publicKey);
  writeFileAtomically(privatePath, privateKey);
}

/** The authority that signs it. */
export function authorityOf(spec: Pick<CertificateSpec, 'ca'>): AuthoritySpec {
  const found = authorities.find(({ name }) => name === spec.ca);
  if (found === undefined) throw new Error(`no authority ${spec.ca}`);
  return found;
}

function isSignedBy(cert: string, ca: string): boolean {
  return new X509Certificate(cert).verify(new X509Certificate(ca).publicKey);
}

function isOfOtherEtcd(authority: AuthoritySpec['name'], config: InitConfiguration): boolean {
  return authority === 'etcd-ca' && localEtcd(config) === undefined;
}
