import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { concernsSigningRequest, requireSignerRight } from './signer-rights.ts';

/** Requires the `approve` permission for the signer to approve or deny a certificate request. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !concernsSigningRequest(request, 'approval')) return undefined;
      return requireSignerRight(authorizer, request, 'approve');
    },
  };
}
