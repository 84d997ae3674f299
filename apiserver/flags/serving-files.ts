// Which certificate the server shows: what the flags name, or one of its own, which it makes in --cert-dir and keeps there.
import { isIP } from 'node:net';
import type { Log } from '#base/log.ts';
import { UsageError } from '#base/lifecycle.ts';
import { certificatePaths, keptServerCertificate, ownServerCertificate } from '#base/own-certificate.ts';
import { addressText, type IpRange } from '../services/ip-range.ts';

interface ServingValues {
  readonly 'cert-dir': string;
  readonly 'tls-cert-file': string;
  readonly 'tls-private-key-file': string;
}

/** Throws UsageError for half of a pair. */
export function servingFiles(values: ServingValues): { readonly 'tls-cert-file': string; readonly 'tls-private-key-file': string } {
  const { 'tls-cert-file': cert, 'tls-private-key-file': key } = values;
  if (isOwn(values)) {
    const { certFile, keyFile } = certificatePaths(placeOf(values));
    return { 'tls-cert-file': certFile, 'tls-private-key-file': keyFile };
  }
  if (cert === '' || key === '') throw new UsageError('--tls-cert-file and --tls-private-key-file must be given together');
  return { 'tls-cert-file': cert, 'tls-private-key-file': key };
}

interface OwnOptions {
  /** Where clients of other machines reach the server. */
  readonly address: string;
  readonly bindAddress: string;
  readonly serviceRange: IpRange;
  readonly nowMs: number;
  readonly log: Log;
}

/** Makes the server's own certificate, where it needs one and has none yet. */
export async function makeServingFiles(values: ServingValues, options: () => OwnOptions): Promise<void> {
  if (!isOwn(values)) return;
  const { address, bindAddress, serviceRange, nowMs, log } = options();
  const place = placeOf(values);
  const isEverywhere = bindAddress === '0.0.0.0' || bindAddress === '::';
  const ips = [address, addressText(serviceRange.first), ...(isEverywhere ? [] : [bindAddress])].filter((text) => isIP(text) !== 0);
  const dnsNames = ['kubernetes.default.svc', 'kubernetes.default', 'kubernetes', ...(isEverywhere ? ['localhost'] : [])];
  const { isNew } = await keptServerCertificate(place, () => ownServerCertificate(dnsNames[0] as string, nowMs, { dnsNames, ips }));
  if (isNew) log.info(certificatePaths(place), 'generated a self-signed certificate');
}

function isOwn(values: ServingValues): boolean {
  return values['tls-cert-file'] === '' && values['tls-private-key-file'] === '';
}

function placeOf({ 'cert-dir': folder }: ServingValues): { readonly folder: string; readonly name: string } {
  return { folder, name: 'apiserver' };
}
