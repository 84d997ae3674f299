import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './lifecycle.ts';
import type { KeyPair } from './pki.ts';
import { reasonOf, writeFileAtomically } from './write-file.ts';

/** By what else than its host's name a server is known. */
interface OtherNames {
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
}

const thisHost: OtherNames = { dnsNames: ['localhost'], ips: ['127.0.0.1'] };

/** A server certificate under a CA of its own, which follows it, for a port without a configured certificate; clients need not trust it. */
export async function ownServerCertificate(hostname: string, nowMs: number, { dnsNames, ips } = thisHost): Promise<KeyPair> {
  // What makes certificates takes 10 MB: processes that were given theirs never load it.
  const { createCa, signCertificate } = await import('./pki.ts');
  const ca = await createCa(`${hostname}-ca@${Math.floor(nowMs / 1_000)}`, nowMs);
  const names = [...new Set([hostname, ...dnsNames])];
  const { cert, key } = await signCertificate(ca, { commonName: hostname, dnsNames: names, ips: [...ips], usages: ['server'] }, nowMs);
  return { cert: `${cert.trimEnd()}\n${ca.cert}`, key };
}

interface CertificatePlace {
  readonly folder: string;
  /** Of its files, which end in `.crt` and `.key`. */
  readonly name: string;
}

export function certificatePaths({ folder, name }: CertificatePlace): { readonly certFile: string; readonly keyFile: string } {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

/** The certificate in a folder, which is made and kept there where there is none yet. Throws UsageError where that cannot be. */
export async function keptServerCertificate(
  place: CertificatePlace,
  make: () => Promise<KeyPair>,
): Promise<KeyPair & { readonly isNew: boolean }> {
  const { certFile, keyFile } = certificatePaths(place);
  const [cert, key] = [read(certFile), read(keyFile)];
  if (cert !== undefined && key !== undefined) return { cert, key, isNew: false };
  if (cert !== undefined || key !== undefined)
    throw new UsageError(`error reading ${cert === undefined ? certFile : keyFile}, certificate and key must be supplied as a pair`, {
      exitCode: 1,
    });
  const made = await make();
  try {
    writeFileAtomically(certFile, made.cert, 0o644);
    writeFileAtomically(keyFile, made.key);
  } catch (error) {
    throw new UsageError(`unable to keep a certificate in ${place.folder}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
  return { ...made, isNew: true };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Upstream makes a new one whatever the reason; writing it reveals an unwritable folder.
    return undefined;
  }
}
