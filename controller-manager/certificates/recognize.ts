// What a signing request is for, and whether it keeps to what its signer promises (pkg/apis/certificates/helpers.go,
// pkg/controller/certificates/signer).
import type { RequestedNames } from '#base/issue-certificate.ts';

export const signers = {
  kubeletServing: 'kubernetes.io/kubelet-serving',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  apiServerClient: 'kubernetes.io/kube-apiserver-client',
  legacyUnknown: 'kubernetes.io/legacy-unknown',
} as const;
export type SignerName = (typeof signers)[keyof typeof signers];

export interface RequestFacts {
  readonly names: RequestedNames;
  readonly usages: readonly string[];
}

const optional = 'key encipherment';
const clientUsages = ['client auth', 'digital signature'];
const servingUsages = ['digital signature', 'server auth'];

/** What is wrong with a request for this signer; undefined where it is fine. */
export function signerProblem(signer: SignerName, facts: RequestFacts): string | undefined {
  switch (signer) {
    case signers.kubeletServing:
      return kubeletServingProblem(facts);
    case signers.kubeletClient:
      return kubeletClientProblem(facts);
    case signers.apiServerClient:
      return clientUsageProblem(facts.usages);
    case signers.legacyUnknown:
      return undefined;
  }
}

/** A certificate by which a node comes to the API server. */
export function kubeletClientProblem({ names, usages }: RequestFacts): string | undefined {
  return (
    organizationProblem(names) ??
    (names.dnsNames.length > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
    (names.emails.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (names.ips.length > 0 ? 'IP subjectAltNames are not allowed' : undefined) ??
    (names.uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    commonNameProblem(names) ??
    usageProblem(usages, clientUsages)
  );
}

function kubeletServingProblem({ names, usages }: RequestFacts): string | undefined {
  return (
    organizationProblem(names) ??
    (names.dnsNames.length + names.ips.length === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    (names.emails.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (names.uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    usageProblem(usages, servingUsages) ??
    commonNameProblem(names)
  );
}

function organizationProblem({ organizations }: RequestedNames): string | undefined {
  const isNode = organizations.length === 1 && organizations[0] === 'system:nodes';
  return isNode ? undefined : 'subject organization is not system:nodes';
}

function commonNameProblem({ commonName }: RequestedNames): string | undefined {
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node: ';
}

/** Exactly these, with or without key encipherment, which keys on curves have no use for. */
function usageProblem(usages: readonly string[], required: readonly string[]): string | undefined {
  const given = new Set(usages.filter((usage) => usage !== optional));
  const isExact = given.size === required.length && required.every((usage) => given.has(usage));
  return isExact ? undefined : `usages did not match [${[...required, optional].toSorted().join(' ')}]`;
}

function clientUsageProblem(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => usage !== optional && !clientUsages.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}
