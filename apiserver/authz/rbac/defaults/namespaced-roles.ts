// Upstream's default roles inside of namespaces, and who holds them
// (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go).
import { eventsLine } from './cluster-roles.ts';

/** A role of a namespace with its binding. */
interface DefaultRole {
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly string[];
  /** The binding's name where it is not the role's. */
  readonly bindingName?: string;
  readonly subjects: readonly string[];
}

const reads = 'get list watch';

const leaderLock = (component: string): DefaultRole => ({
  namespace: 'kube-system',
  name: `system::leader-locking-${component}`,
  rules: ['watch | core | configmaps', `get update | core | configmaps | ${component}`],
  subjects: [`User system:${component}`, `ServiceAccount ${component}`],
});

export const defaultRoles: readonly DefaultRole[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [`${reads} | core | configmaps | extension-apiserver-authentication`],
    bindingName: 'system::extension-apiserver-authentication-reader',
    subjects: ['User system:kube-controller-manager', 'User system:kube-scheduler'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: [`${reads} | core | secrets`],
    subjects: ['ServiceAccount bootstrap-signer'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: ['create get list watch | core | configmaps'],
    subjects: ['ServiceAccount cloud-provider'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: ['delete get list watch | core | secrets', eventsLine],
    subjects: ['ServiceAccount token-cleaner'],
  },
  leaderLock('kube-controller-manager'),
  leaderLock('kube-scheduler'),
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [`${reads} | core | configmaps`, 'update | core | configmaps | cluster-info', eventsLine],
    subjects: ['ServiceAccount bootstrap-signer'],
  },
];
