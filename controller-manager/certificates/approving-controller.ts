import { type CertificateSigningRequest, certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import { type SubjectAccessReview, subjectAccessReview } from '#api/authorization/subject-access-review.ts';
import { type ControllerDefinition, defineController, done } from '#client/controller/define.ts';
import { kubeletClientProblem, type RequestFacts, signers } from './recognize.ts';
import { conditioned, hasCondition, requestPem } from './request.ts';

interface Recognizer {
  /** Who has the right to create this sub-resource of requests gets approved. */
  readonly subresource: string;
  readonly message: string;
  readonly recognizes: (request: CertificateSigningRequest, facts: RequestFacts) => boolean;
}

const isNodeClient: Recognizer['recognizes'] = ({ spec }, facts) =>
  spec.signerName === signers.kubeletClient && kubeletClientProblem(facts) === undefined;

const recognizers: readonly Recognizer[] = [
  {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    recognizes: (request, facts) => request.spec.username === facts.names.commonName && isNodeClient(request, facts),
  },
  {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    recognizes: isNodeClient,
  },
];

/** Approves nodes' requests for client certificates where roles let whoever asks have them (pkg/controller/certificates/approver). */
export function requestApprovingController(): ControllerDefinition {
  return defineController<CertificateSigningRequest>({
    name: 'certificatesigningrequest-approving-controller',
    reconciles: certificateSigningRequest,
    reads: [],
    writes: [certificateSigningRequest, subjectAccessReview],
    async reconcile({ key, cache, client, clock, log, signal }) {
      const found = cache.get<CertificateSigningRequest>(certificateSigningRequest, key);
      if (found === undefined || found.status.certificate || hasCondition(found, 'Approved') || hasCondition(found, 'Denied')) return done;
      if (found.spec.signerName !== signers.kubeletClient) return done;
      const { requestedNames } = await import('#base/issue-certificate.ts');
      const facts = { names: requestedNames(requestPem(found)), usages: found.spec.usages ?? [] };
      const recognized = recognizers.filter(({ recognizes }) => recognizes(found, facts));
      for (const { subresource, message } of recognized) {
        const review = await client.create<SubjectAccessReview>(subjectAccessReview, question(found, subresource), {}, signal);
        if (review.status?.allowed !== true) continue;
        const approved = conditioned(found, { type: 'Approved', reason: 'AutoApproved', message }, clock.nowMs());
        await client.update<CertificateSigningRequest>(certificateSigningRequest, approved, { subresource: 'approval' }, signal);
        return done;
      }
      if (recognized.length > 0) {
        const tried = recognized.map(({ subresource }) => subresource);
        log.info({ tried }, 'recognized a certificate request, but whoever asks has no right to it');
      }
      return done;
    },
  });
}

function question({ spec }: CertificateSigningRequest, subresource: string): SubjectAccessReview {
  const { username, uid, groups, extra } = spec;
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    verb: 'create',
    version: '*',
    subresource,
  };
  return { metadata: {}, spec: { user: username, uid, groups, extra, resourceAttributes } } as SubjectAccessReview;
}
