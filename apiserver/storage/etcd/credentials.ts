import { readFileSync } from 'node:fs';
import { StoreError } from '../contract.ts';

/** Files of PEM texts; undefined: the system's authorities, no client certificate. */
export interface EtcdTlsFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface EtcdCredentials {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}

/** Reads them all. Throws StoreError 'unavailable' naming the file that cannot be read. */
export function readCredentials({ caFile, certFile, keyFile }: EtcdTlsFiles): EtcdCredentials {
  return { ca: readPem(caFile), cert: readPem(certFile), key: readPem(keyFile) };
}

export function sameCredentials(a: EtcdCredentials, b: EtcdCredentials): boolean {
  return same(a.ca, b.ca) && same(a.cert, b.cert) && same(a.key, b.key);
}

function same(a: Buffer | null, b: Buffer | null): boolean {
  return a === b || (a !== null && b !== null && a.equals(b));
}

function readPem(path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String((error as Error).message);
    throw new StoreError('unavailable', `cannot read ${path} (for etcd): ${why}`, { cause: error });
  }
}
