import { type Authorizer, type Decision, noRights } from './contract.ts';
import { nodeAuthorizer } from './node/authorizer.ts';
import type { NodeGraph } from './node/graph.ts';
import { rbacAuthorizer } from './rbac/authorizer.ts';
import type { RbacPolicy } from './rbac/policy.ts';
import { firstOpinion } from './union.ts';

/** What `--authorization-mode` may list. */
export const authorizationModes = ['Node', 'RBAC', 'AlwaysAllow', 'AlwaysDeny'] as const;
export type AuthorizationMode = (typeof authorizationModes)[number];

interface AuthorizerDeps {
  /** Counts the decisions of each authorizer, for metrics. Without it, nothing is counted. */
  readonly counts?: ((type: AuthorizationMode) => { readonly allowed: () => void; readonly denied: () => void }) | undefined;
  readonly policy: RbacPolicy;
  readonly graph: NodeGraph;
}

const superusers = 'system:masters';
const allow: Decision = { verdict: 'allow', reason: '' };
const noOpinion: Decision = { verdict: 'none', reason: '' };
const everythingForbidden: Decision = { verdict: 'none', reason: 'Everything is forbidden.' };

/** Asks the modes in the order given. Whatever they say, members of system:masters may do everything: they cannot be locked out. */
export function authorizerOf(modes: readonly AuthorizationMode[], { policy, graph, counts }: AuthorizerDeps): Authorizer {
  const makers: Readonly<Record<AuthorizationMode, () => Authorizer>> = {
    Node: () => nodeAuthorizer(graph),
    RBAC: () => rbacAuthorizer(policy),
    AlwaysAllow: () => alwaysAllow,
    AlwaysDeny: () => alwaysDeny,
  };
  return firstOpinion([administrators, ...modes.map((mode) => counted(makers[mode](), counts?.(mode)))]);
}

function counted(authorizer: Authorizer, counts: ReturnType<NonNullable<AuthorizerDeps['counts']>> | undefined): Authorizer {
  if (counts === undefined) return authorizer;
  const count = (decision: Decision): Decision => {
    if (decision.verdict === 'allow') counts.allowed();
    else if (decision.verdict === 'deny') counts.denied();
    return decision;
  };
  return {
    authorize: (request) => {
      const decision = authorizer.authorize(request);
      return decision instanceof Promise ? decision.then(count) : count(decision);
    },
    rightsOf: (user, namespace) => authorizer.rightsOf(user, namespace),
  };
}

/** Lists no rights: those are listed by the role cluster-admin. */
const administrators: Authorizer = {
  authorize: ({ user }) => (user.groups.includes(superusers) ? allow : noOpinion),
  rightsOf: () => noRights,
};

const alwaysAllow: Authorizer = {
  authorize: () => allow,
  rightsOf: () => ({
    ...noRights,
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }),
};

const alwaysDeny: Authorizer = { authorize: () => everythingForbidden, rightsOf: () => noRights };
