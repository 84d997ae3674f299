// Prevents privilege escalation (upstream's pkg/registry/rbac/*/policybased): whoever writes a role needs
// its rules or the right to `escalate`, whoever binds one needs its rules or the right to `bind`.
import type { V1PolicyRule, V1RoleRef } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { notFound } from '#api/meta/status.ts';
import type { AnyBinding } from '#api/rbac/bindings.ts';
import type { ClusterRole } from '#api/rbac/cluster-role.ts';
import { rbacGroup } from '#api/rbac/rules.ts';
import { refusal } from '../../admission/refusal.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../../registry/contract.ts';
import type { AuthorizationRequest, Authorizer } from '../contract.ts';
import { rulesFor } from './authorizer.ts';
import type { RbacPolicy } from './policy.ts';
import { missingRules, quotedList, rulesText } from './rules.ts';

const everything: readonly V1PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

interface EscalationDeps {
  readonly policy: RbacPolicy;
  /** All authorizers together. */
  readonly authorizer: Authorizer;
}

/** Not one of upstream's plugins: there it is part of the registry of roles and bindings. */
export function rbacEscalation(deps: EscalationDeps): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    // Not an async function: whatever else is written would have to wait for nothing.
    validate: (request) => {
      const { kind, operation, object, previous, context } = request;
      if (kind.group !== rbacGroup || object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
      if (context.user.groups.includes('system:masters')) return undefined;
      if (previous !== undefined && isSameButForCollection(object, previous)) return undefined;
      const isRole = kind.kind === 'Role' || kind.kind === 'ClusterRole';
      return isRole ? checkRole(deps, request, object as ClusterRole) : checkBinding(deps, request, object as AnyBinding);
    },
  };
}

async function checkRole(deps: EscalationDeps, request: AdmissionRequest, role: ClusterRole): Promise<void> {
  const { kind, context } = request;
  // On create, upstream asks before the name is known.
  const name = request.operation === 'CREATE' ? '' : request.name;
  if (await mayDo(deps, { ...rightTo('escalate', request), resource: kind.names.plural, namespace: context.namespace, name })) return;
  const before = request.previous as ClusterRole | undefined;
  const aggregates = role.aggregationRule !== undefined || before?.aggregationRule !== undefined;
  if (aggregates && missingFor(deps, request, everything).length > 0) {
    throw refusal(request, 'must have cluster-admin privileges to use the aggregationRule');
  }
  requireRules(deps, request, role.rules);
}

async function checkBinding(deps: EscalationDeps, request: AdmissionRequest, { roleRef }: AnyBinding): Promise<void> {
  const { namespace } = request.context;
  const resource = pluralOf(roleRef);
  if (await mayDo(deps, { ...rightTo('bind', request), resource, namespace, name: roleRef.name })) return;
  const rules = deps.policy.roleOf(roleRef, namespace)?.rules;
  if (rules === undefined) throw notFound({ group: rbacGroup, plural: roleRef.kind.toLowerCase() }, roleRef.name);
  requireRules(deps, request, rules);
}

function requireRules(deps: EscalationDeps, request: AdmissionRequest, rules: readonly V1PolicyRule[]): void {
  const missing = missingFor(deps, request, rules);
  if (missing.length === 0) return;
  const { user, namespace } = request.context;
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
  const { errors } = rulesFor(deps.policy, user, namespace);
  const unsure = errors.length === 0 ? '' : `; resolution errors: [${errors.join(' ')}]`;
  throw refusal(request, `${who} is attempting to grant RBAC permissions not currently held:\n${rulesText(missing).join('\n')}${unsure}`);
}

function missingFor({ policy }: EscalationDeps, { context }: AdmissionRequest, rules: readonly V1PolicyRule[]): V1PolicyRule[] {
  return missingRules(rulesFor(policy, context.user, context.namespace).rules, rules);
}

async function mayDo({ authorizer }: EscalationDeps, request: AuthorizationRequest): Promise<boolean> {
  return (await authorizer.authorize(request)).verdict === 'allow';
}

function rightTo(verb: 'escalate' | 'bind', { context }: AdmissionRequest): Omit<AuthorizationRequest, 'resource' | 'namespace' | 'name'> {
  return { user: context.user, isResource: true, verb, path: '', group: rbacGroup, version: '*', subresource: '' };
}

function pluralOf({ kind }: V1RoleRef): string {
  return kind === 'Role' ? 'roles' : 'clusterroles';
}

/** The garbage collector changes finalizers and owners of what it may not grant. */
function isSameButForCollection(next: KubeObject, prev: KubeObject): boolean {
  const rest = ({ metadata, ...object }: KubeObject): object => {
    const { finalizers: _finalizers, ownerReferences: _owners, managedFields: _managed, ...others } = metadata;
    return { ...object, metadata: others };
  };
  return equalValues(rest(next), rest(prev));
}
