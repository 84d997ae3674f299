// Certificates and keys as files below one folder: `<base>.crt`, `<base>.key`, for service accounts `<base>.pub`.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import type { KeyPair } from '#base/pki.ts';
import { reasonOf, writeFileAtomically } from '#base/write-file.ts';

export function certPath(folder: string, baseName: string): string {
  return join(folder, `${baseName}.crt`);
}

export function keyPath(folder: string, baseName: string): string {
  return join(folder, `${baseName}.key`);
}

/** True when either half is there. */
export function pairExists(folder: string, baseName: string): boolean {
  return existsSync(certPath(folder, baseName)) || existsSync(keyPath(folder, baseName));
}

/** Both halves. Throws a UsageError that names the file where one is missing, unreadable or does not belong to the other. */
export function readPair(folder: string, baseName: string): KeyPair {
  const cert = readCertificate(folder, baseName);
  const path = keyPath(folder, baseName);
  const key = readText(path, 'private key');
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
  } catch (error) {
    throw new UsageError(`couldn't load the private key file ${path}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
  throw new UsageError(`the private key ${path} does not belong to ${certPath(folder, baseName)}`, { exitCode: 1 });
}

/** PEM text of a certificate that can be read. */
export function readCertificate(folder: string, baseName: string): string {
  const path = certPath(folder, baseName);
  const pem = readText(path, 'certificate');
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new UsageError(`couldn't load the certificate file ${path}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
  return pem;
}

export function writePair(folder: string, baseName: string, pair: KeyPair): void {
  writeFileAtomically(keyPath(folder, baseName), pair.key);
  writeFileAtomically(certPath(folder, baseName), pair.cert, 0o644);
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`couldn't load the ${what} file ${path}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}
