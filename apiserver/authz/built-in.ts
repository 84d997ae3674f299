// Who may do what until RBAC objects exist: administrators and the cluster's own components everything, everybody who is known
// may discover, anybody may ask for health and version. All others are refused.
import type { Authorizer, AuthorizationRequest, Decision } from './contract.ts';

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

/** Service accounts of the cluster's own add-ons, which need to read the whole cluster. */
const addOnAccounts =
  /^system:serviceaccount:kube-system:(coxswain-dns|coredns|kube-proxy|kube-dns|[a-z0-9-]+-controller|generic-garbage-collector)$/;

/** Paths that every authenticated client may read, upstream's system:discovery. */
const discoveryPath = /^\/(api|apis|openapi)(\/.*)?$|^\/(healthz|livez|readyz|version)(\/.*)?$/;
/** What service accounts may read besides: how to verify each other's tokens, upstream's system:service-account-issuer-discovery. */
const issuerPath = /^\/(\.well-known\/openid-configuration|openid\/v1\/jwks)\/?$/;
/** Paths that anybody may read, upstream's system:public-info-viewer. */
const publicPath = /^\/(healthz|livez|readyz|version)(\/.*)?$/;
/** Reviews of one's own identity and rights, upstream's system:basic-user. */
const selfReviews = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']);

/** Members of system:masters may do everything. */
export const administrators: Authorizer = {
  authorize: ({ user }) => (user.groups.includes('system:masters') ? allow : noOpinion),
};

/** The cluster's components, by the users that upstream gives them. */
export const components: Authorizer = {
  authorize: ({ user }) => {
    if (componentUsers.has(user.name) || addOnAccounts.test(user.name)) return allow;
    return user.groups.includes(nodeGroup) && user.name.startsWith(nodePrefix) ? allow : noOpinion;
  },
};

/** What upstream's default roles give to everybody. */
export const everybody: Authorizer = {
  authorize: (request: AuthorizationRequest) => {
    const isKnown = request.user.groups.includes('system:authenticated');
    if (!request.isResource) {
      if (request.verb !== 'get' && request.verb !== 'head') return noOpinion;
      if (request.user.groups.includes('system:serviceaccounts') && issuerPath.test(request.path)) return allow;
      return (isKnown ? discoveryPath : publicPath).test(request.path) ? allow : noOpinion;
    }
    return isKnown && request.verb === 'create' && selfReviews.has(request.resource) ? allow : noOpinion;
  },
};
