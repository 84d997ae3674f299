// What needs no roles: administrators and the cluster's own components may do everything. The rest is for roles and bindings to say
// (rbac/).
import type { UserInfo } from '../registry/contract.ts';
import { type Authorizer, type Decision, noRights, type Rights } from './contract.ts';

const allow: Decision = { verdict: 'allow', reason: '' };
const noOpinion: Decision = { verdict: 'none', reason: '' };

/** Users of upstream's components, and of our DNS. */
const componentUsers = new Set([
  'system:kube-scheduler',
  'system:kube-controller-manager',
  'system:kube-proxy',
  'system:apiserver',
  'system:kube-dns',
]);
const nodeGroup = 'system:nodes';
const nodePrefix = 'system:node:';

const allRights: Rights = {
  ...noRights,
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

/** Members of system:masters may do everything. */
export const administrators = allowingAll(({ groups }) => groups.includes('system:masters'));

/** The cluster's components, by the users that upstream gives them. */
export const components = allowingAll(({ name, groups }) => {
  return componentUsers.has(name) || (groups.includes(nodeGroup) && name.startsWith(nodePrefix));
});

function allowingAll(isAllowed: (user: UserInfo) => boolean): Authorizer {
  return {
    authorize: ({ user }) => (isAllowed(user) ? allow : noOpinion),
    rightsOf: (user) => (isAllowed(user) ? allRights : noRights),
  };
}
