// What needs no roles: administrators and the cluster's own components may do everything, everybody who is known may discover, anybody
// may ask for health and version. The rest is for roles and bindings to say (rbac/).
import type { UserInfo } from '../registry/contract.ts';
import { type Authorizer, type AuthorizationRequest, type Decision, noRights, type Rights } from './contract.ts';

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

/** Paths that every authenticated client may read, upstream's system:discovery. */
const discoveryPath = /^\/(api|apis|openapi)(\/.*)?$|^\/(healthz|livez|readyz|version)(\/.*)?$/;
/** What service accounts may read besides: how to verify each other's tokens, upstream's system:service-account-issuer-discovery. */
const issuerPath = /^\/(\.well-known\/openid-configuration|openid\/v1\/jwks)\/?$/;
/** Paths that anybody may read, upstream's system:public-info-viewer. */
const publicPath = /^\/(healthz|livez|readyz|version)(\/.*)?$/;
/** The same as roles list them. */
const publicUrls = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const discoveryUrls = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];
/** Reviews of one's own identity and rights, upstream's system:basic-user. */
const selfReviews = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']);

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
  rightsOf: ({ groups }) => {
    const get = (...nonResourceURLs: string[]) => ({ verbs: ['get'], nonResourceURLs });
    if (!groups.includes('system:authenticated')) return { ...noRights, nonResourceRules: [get(...publicUrls)] };
    const issuer = groups.includes('system:serviceaccounts') ? [get('/.well-known/openid-configuration', '/openid/v1/jwks')] : [];
    return {
      ...noRights,
      resourceRules: [
        { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
        { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
      ],
      nonResourceRules: [get(...publicUrls), get(...discoveryUrls), ...issuer],
    };
  },
};

function allowingAll(isAllowed: (user: UserInfo) => boolean): Authorizer {
  return {
    authorize: ({ user }) => (isAllowed(user) ? allow : noOpinion),
    rightsOf: (user) => (isAllowed(user) ? allRights : noRights),
  };
}
