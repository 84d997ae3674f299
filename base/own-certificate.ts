import type { KeyPair } from './pki.ts';

/** A server certificate under a CA of its own, for a port of this host where none was given: nobody is asked to trust it. */
export async function ownServerCertificate(hostname: string, nowMs: number): Promise<KeyPair> {
  // What makes certificates takes 10 MB: processes that were given theirs never load it.
  const { createCa, signCertificate } = await import('./pki.ts');
  const ca = await createCa(`${hostname}-ca@${Math.floor(nowMs / 1_000)}`, nowMs);
  return await signCertificate(
    ca,
    { commonName: hostname, dnsNames: [hostname, 'localhost'], ips: ['127.0.0.1'], usages: ['server'] },
    nowMs,
  );
}
