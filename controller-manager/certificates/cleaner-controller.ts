import { X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import { again, type ControllerDefinition, defineController, done } from '#client/controller/define.ts';

const hourMs = 3_600_000;
const approvedMs = hourMs;
const deniedMs = hourMs;
const pendingMs = 24 * hourMs;
/** Upstream looks every ten minutes; a request that is due goes when it is due. */
const longestWaitMs = 600_000;

/** Deletes requests that are over: decided an hour ago, ignored for a day, or with a certificate that has ended. */
export function requestCleanerController(): ControllerDefinition {
  return defineController<CertificateSigningRequest>({
    name: 'certificatesigningrequest-cleaner-controller',
    reconciles: certificateSigningRequest,
    reads: [],
    writes: [certificateSigningRequest],
    async reconcile({ key, cache, client, clock, signal }) {
      const found = cache.get<CertificateSigningRequest>(certificateSigningRequest, key);
      if (found === undefined) return done;
      const leftMs = requestEndMs(found) - clock.nowMs();
      if (leftMs > 0) return again(Math.min(leftMs, longestWaitMs));
      const { uid, resourceVersion } = found.metadata;
      await client.delete(certificateSigningRequest, key, { uid, resourceVersion }, signal);
      return done;
    },
  });
}

/** When a request may go (pkg/controller/certificates/cleaner). */
export function requestEndMs({ metadata, status }: CertificateSigningRequest): number {
  const ends: number[] = [];
  for (const { type, lastUpdateTime = '' } of status.conditions ?? []) {
    const sinceMs = Date.parse(lastUpdateTime);
    if (Number.isNaN(sinceMs)) continue;
    // An approved request without certificate still waits for one.
    if (type === 'Approved' && status.certificate) ends.push(sinceMs + approvedMs);
    if (type === 'Denied') ends.push(sinceMs + deniedMs);
    if (type === 'Failed') ends.push(sinceMs + deniedMs);
  }
  if (status.certificate) ends.push(certificateEndMs(status.certificate));
  if ((status.conditions ?? []).length === 0) ends.push(Date.parse(metadata.creationTimestamp ?? '') + pendingMs);
  return Math.min(...ends, Number.POSITIVE_INFINITY);
}

function certificateEndMs(base64: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(base64, 'base64')).validTo);
  } catch {
    return Number.POSITIVE_INFINITY; // Not ours to judge.
  }
}
