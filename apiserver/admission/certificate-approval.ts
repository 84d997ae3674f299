import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concernsSigningRequest, requireSignerRight } from './signer-rights.ts';

/** Lets nobody approve or deny a request for a certificate without that right for its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !concernsSigningRequest(request, 'approval')) return undefined;
      return requireSignerRight(authorizer, request, 'approve');
    },
  };
}
