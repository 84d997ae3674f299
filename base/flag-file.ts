import { readFileSync } from 'node:fs';
import { UsageError } from './lifecycle.ts';

/** The text of a file that a flag names. Throws UsageError naming the flag. */
export function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface ServingFiles {
  readonly 'tls-cert-file': string;
  readonly 'tls-private-key-file': string;
}

/** The certificate and key of a secure port; undefined where none are named. Throws UsageError naming the flag. */
export function readServingPair(values: ServingFiles): { readonly cert: string; readonly key: string } | undefined {
  const { 'tls-cert-file': certFile, 'tls-private-key-file': keyFile } = values;
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '') throw new UsageError('--tls-cert-file and --tls-private-key-file must be given together');
  return { cert: readFlagFile('tls-cert-file', certFile), key: readFlagFile('tls-private-key-file', keyFile) };
}
