import type { RbacV1Subject, V1PolicyRule } from '#api/generated/types.ts';
import { rbacGroup } from '#api/rbac/rules.ts';
import type { UserInfo } from '../../registry/contract.ts';
import type { Authorizer, Decision, Rights } from '../contract.ts';
import type { Grant, RbacPolicy } from './policy.ts';

/** Allows what roles bound to a user or its groups allow; never forbids (plugin/pkg/auth/authorizer/rbac). */
export function rbacAuthorizer(policy: RbacPolicy): Authorizer {
  return {
    authorize: (request): Decision => {
      const missing: string[] = [];
      for (const grant of policy.grantsOf(request.user, request.isResource ? request.namespace : '')) {
        if (grant.role === undefined) missing.push(missingRole(grant));
        else if (grant.role.allows(request)) {
          return { verdict: 'allow', reason: `RBAC: allowed by ${grantText(grant)}` };
        }
      }
      return { verdict: 'none', reason: missing.length === 0 ? '' : `RBAC: ${together(missing)}` };
    },
    rightsOf: (user, namespace): Rights => {
      const { rules, errors } = rulesFor(policy, user, namespace);
      return {
        resourceRules: rules.flatMap(({ verbs, apiGroups, resources, resourceNames }) =>
          (resources?.length ?? 0) === 0
            ? []
            : [
                {
                  verbs,
                  apiGroups: apiGroups ?? [],
                  resources: resources ?? [],
                  ...(resourceNames === undefined ? {} : { resourceNames }),
                },
              ],
        ),
        nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) =>
          nonResourceURLs === undefined || nonResourceURLs.length === 0 ? [] : [{ verbs, nonResourceURLs }],
        ),
        isIncomplete: false,
        errors,
      };
    },
  };
}

/** All rules that a user holds in a namespace, and what could not be found out. */
export function rulesFor(policy: RbacPolicy, user: UserInfo, namespace: string): { rules: V1PolicyRule[]; errors: string[] } {
  const grants = [...policy.grantsOf(user, namespace)];
  return {
    rules: grants.flatMap(({ role }) => role?.rules ?? []),
    errors: grants.filter(({ role }) => role === undefined).map(missingRole),
  };
}

function missingRole({ binding: { roleRef } }: Grant): string {
  return `${roleRef.kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(roleRef.name)} not found`;
}

/** `ClusterRoleBinding "a" of ClusterRole "b" to Group "c"`. */
function grantText({ binding: { metadata, roleRef }, subject }: Grant): string {
  const { name = '', namespace } = metadata;
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  const own = namespace === undefined ? name : `${name}/${namespace}`;
  return `${kind} ${JSON.stringify(own)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subjectText(subject, namespace)}`;
}

function subjectText({ kind, name, namespace }: RbacV1Subject, bindingNamespace: string | undefined): string {
  const shown = kind === 'ServiceAccount' ? `${name}/${namespace || (bindingNamespace ?? '')}` : name;
  return `${kind} ${JSON.stringify(shown)}`;
}

/** Several errors as Go's aggregates show them, each once. */
function together(errors: readonly string[]): string {
  const [first = '', ...rest] = new Set(errors);
  return rest.length === 0 ? first : `[${[first, ...rest].join(', ')}]`;
}
