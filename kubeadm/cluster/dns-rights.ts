// The rights of the DNS server, whoever makes the cluster.
import type { V1PolicyRule } from '#api/generated/types.ts';

/** As whom it comes. */
export const dnsUser = 'system:kube-dns';
/** Upstream's cluster role of CoreDNS. */
export const dnsReaderRole = 'system:coredns';
/** The server is no pod: it publishes its own Service, in kube-system, and where that leads. */
export const dnsPublisherRole = 'coxswain:dns-publisher';

export const dnsReaderRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces', 'nodes'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
];

export const dnsPublisherRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['create'] },
  { apiGroups: [''], resources: ['services'], resourceNames: ['kube-dns'], verbs: ['get', 'patch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'delete', 'get', 'list', 'patch'] },
];
