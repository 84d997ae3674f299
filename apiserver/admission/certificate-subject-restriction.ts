import { parseSigningRequest } from '#api/certificates/signing-request.ts';
import type { AdmissionPlugin } from '../registry/contract.ts';
import { refusal } from './refusal.ts';
import { asSigningRequest, concernsSigningRequest } from './signer-rights.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const administrators = 'system:masters';

/** Keeps client certificates of administrators, who are above all rules, from being asked for. The request is valid by now. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate: (request) => {
    if (request.operation !== 'CREATE' || !concernsSigningRequest(request, '')) return;
    const { spec } = asSigningRequest(request, 'object');
    if (spec.signerName !== clientSigner) return;
    if (parseSigningRequest(spec.request).organizations.includes(administrators)) {
      throw refusal(request, `use of ${clientSigner} signer with ${administrators} group is not allowed`);
    }
  },
};
