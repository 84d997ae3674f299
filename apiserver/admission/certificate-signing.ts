import { equalValues } from '#api/meta/equality.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { asSigningRequest, concernsSigningRequest, requireSignerRight } from './signer-rights.ts';

/** Requires the `sign` permission for the signer to issue a certificate or to mark a request as failed. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !concernsSigningRequest(request, 'status')) return undefined;
      const { status } = asSigningRequest(request, 'object');
      const before = asSigningRequest(request, 'previous').status;
      if (status.certificate === before.certificate && equalValues(status.conditions, before.conditions)) return undefined;
      return requireSignerRight(authorizer, request, 'sign');
    },
  };
}
