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

function readPem(path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String((error as Error).message);
    throw new StoreError('unavailable', `cannot read ${path} (for etcd): ${why}`, { cause: error });
  }
}
