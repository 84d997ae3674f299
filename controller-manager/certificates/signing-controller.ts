import { type CertificateSigningRequest, certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import type { KeyPair } from '#base/pki.ts';
import { type ControllerDefinition, defineController, done } from '#client/controller/define.ts';
import { type SignerName, signerProblem } from './recognize.ts';
import { conditioned, hasCondition, requestPem } from './request.ts';
import { planLifetime } from './lifetime.ts';

export interface SigningOptions {
  /** What signs for each signer; those that are absent are not served. */
  readonly authorities: Readonly<Partial<Record<SignerName, KeyPair>>>;
  /** Lifetime of certificates unless a shorter one is requested. */
  readonly durationMs: number;
}

/** Signs what is approved for upstream's own signers (pkg/controller/certificates/signer). */
export function requestSigningController({ authorities, durationMs }: SigningOptions): ControllerDefinition {
  return defineController<CertificateSigningRequest>({
    name: 'certificatesigningrequest-signing-controller',
    reconciles: certificateSigningRequest,
    reads: [],
    writes: [certificateSigningRequest],
    async reconcile({ key, cache, client, clock, signal }) {
      const found = cache.get<CertificateSigningRequest>(certificateSigningRequest, key);
      if (found === undefined || !hasCondition(found, 'Approved') || hasCondition(found, 'Denied') || hasCondition(found, 'Failed'))
        return done;
      const { signerName, usages = [], expirationSeconds } = found.spec;
      const authority = Object.hasOwn(authorities, signerName) ? authorities[signerName as SignerName] : undefined;
      if (found.status.certificate || authority === undefined) return done;
      // What signs takes 10 MB: a cluster without requests never loads it.
      const { issueCertificate, requestedNames } = await import('#base/issue-certificate.ts');
      const pem = requestPem(found);
      const problem = signerProblem(signerName as SignerName, { names: requestedNames(pem), usages });
      const nowMs = clock.nowMs();
      let next: CertificateSigningRequest;
      if (problem === undefined) {
        const certificate = await issueCertificate(authority, pem, { usages, ...planLifetime({ expirationSeconds, durationMs, nowMs }) });
        next = { ...found, status: { ...found.status, certificate: Buffer.from(certificate).toString('base64') } };
      } else {
        next = conditioned(found, { type: 'Failed', reason: 'SignerValidationFailure', message: problem }, nowMs);
      }
      await client.update<CertificateSigningRequest>(certificateSigningRequest, next, { subresource: 'status' }, signal);
      return done;
    },
  });
}
