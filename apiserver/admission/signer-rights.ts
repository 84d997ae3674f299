import type { CertificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionRequest } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

/** True for writes of a certificate signing request through this sub-resource ('' is the object itself). */
export function concernsSigningRequest({ kind, context }: AdmissionRequest, subresource: string): boolean {
  return kind.group === 'certificates.k8s.io' && kind.kind === 'CertificateSigningRequest' && context.subresource === subresource;
}

export function asSigningRequest(request: AdmissionRequest, which: 'object' | 'previous'): CertificateSigningRequest {
  return request[which] as CertificateSigningRequest;
}

/** Whoever approves or signs needs that right for the signer, by its name or by `domain/*`. Throws Forbidden. */
export async function requireSignerRight(authorizer: Authorizer, request: AdmissionRequest, verb: 'approve' | 'sign'): Promise<void> {
  const { signerName } = asSigningRequest(request, 'previous').spec;
  const domain = signerName.split('/')[0] ?? '';
  for (const name of [signerName, `${domain}/*`]) {
    const { verdict } = await authorizer.authorize({
      user: request.context.user,
      isResource: true,
      verb,
      path: '',
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
    });
    if (verdict === 'allow') return;
  }
  throw refusal(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}
