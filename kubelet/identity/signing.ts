// How a node gets a client certificate: a CertificateSigningRequest, which controllers approve and sign.
import { createHash } from 'node:crypto';
import { certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import { hasReason } from '#api/meta/status.ts';
import { isAbort } from '#base/lifecycle.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';

interface SigningDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

interface NodeRequest {
  readonly nodeName: string;
  /** PEM text of the private key that the certificate is for. */
  readonly key: string;
}

const signerName = 'kubernetes.io/kube-apiserver-client-kubelet';
const lookEveryMs = 500;
const retryMs = 5_000;

/** The request was denied or failed: asking again with the same key is of no use. */
export class SigningRefused extends Error {
  override readonly name = 'SigningRefused';
}

/**
 * Answers the certificate's PEM text. Waits as long as it takes; the same key finds an earlier request again, so a restart goes on where it
 * was. Throws SigningRefused.
 */
export async function requestCertificate(
  { nodeName, key }: NodeRequest,
  { client, clock, log }: SigningDeps,
  signal: AbortSignal,
): Promise<string> {
  // What makes requests takes 10 MB: a node that has its certificate never loads it.
  const { createSigningRequest } = await import('#base/pki.ts');
  const csr = await createSigningRequest({ commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] }, key);
  const name = `node-csr-${createHash('sha256').update(key).update(nodeName).digest('base64url')}`;
  const usages = ['digital signature', 'client auth'];
  for (;;) {
    try {
      await createOnce(client, name, { request: Buffer.from(csr).toString('base64'), signerName, usages }, signal);
      const { status } = await client.get(certificateSigningRequest, { name }, signal);
      const bad = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
      if (bad !== undefined)
        throw new SigningRefused(`certificate signing request ${name} was ${bad.type.toLowerCase()}: ${bad.message ?? bad.reason ?? ''}`);
      if (status?.certificate !== undefined && status.certificate !== '') return Buffer.from(status.certificate, 'base64').toString('utf8');
      await clock.sleep(lookEveryMs, signal);
    } catch (err) {
      if (isAbort(err, signal) || err instanceof SigningRefused) throw err;
      log.warn({ err, request: name }, 'the API server does not take the certificate request yet');
      await clock.sleep(retryMs, signal);
    }
  }
}

async function createOnce(
  client: Client,
  name: string,
  spec: { request: string; signerName: string; usages: string[] },
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(certificateSigningRequest, { metadata: { name }, spec, status: {} }, {}, signal);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}
