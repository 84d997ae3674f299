// The certificates of the kubelet's own port, from files that may change while it runs.
import { readFileSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';
import { keptServerCertificate, ownServerCertificate } from '#base/own-certificate.ts';
import type { KeyPair } from '#base/pki.ts';
import { reasonOf } from '#base/write-file.ts';

/** PEM texts. */
export interface KubeletTls {
  readonly cert: string;
  readonly key: string;
  /** The authorities that sign clients' certificates. */
  readonly clientCa: string;
}

interface TlsPaths {
  /** '' where a certificate is made at the start. */
  readonly certFile: string;
  readonly keyFile: string;
  /** '' serves nothing. */
  readonly clientCaFile: string;
}

/** What a certificate of the kubelet's own is made of. */
interface OwnTls {
  readonly nodeName: string;
  /** Where it is kept. */
  readonly certFolder: string;
  readonly nowMs: number;
}

/** The serving certificate, made and kept where none is given, and who may come. Throws UsageError for files that cannot be read. */
export async function readTls(paths: TlsPaths, { nodeName, certFolder, nowMs }: OwnTls): Promise<KubeletTls | undefined> {
  if (paths.clientCaFile === '') return undefined;
  const files = readTlsFiles(paths);
  if (files.cert !== undefined && files.key !== undefined) return { clientCa: files.clientCa, cert: files.cert, key: files.key };
  const make = (): Promise<KeyPair> => ownServerCertificate(nodeName, nowMs);
  const { cert, key } = await keptServerCertificate({ folder: certFolder, name: 'kubelet' }, make);
  return { clientCa: files.clientCa, cert, key };
}

/** What stands in files: without a certificate where none is named. Throws UsageError for those that cannot be read. */
export function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsPaths): Partial<KubeletTls> & Pick<KubeletTls, 'clientCa'> {
  const clientCa = read('client-ca-file', clientCaFile);
  return certFile === '' ? { clientCa } : { clientCa, cert: read('tls-cert-file', certFile), key: read('tls-private-key-file', keyFile) };
}

export function tlsFiles({ certFile, keyFile, clientCaFile }: TlsPaths): readonly string[] {
  return [certFile, keyFile, clientCaFile].filter((path) => path !== '');
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read --${flag}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}
