// Who may change what in the status of a ResourceClaim (pkg/registry/resource/authz.go): schedulers its devices and users, drivers what
// is said of their own devices.
import { type FieldProblem, forbiddenField, invalidObject } from '#api/meta/field-problem.ts';
import { dnsSubdomainProblems } from '#api/meta/names.ts';
import { changesBinding, nodeOfAllocation, reportedDrivers } from '#api/resource/claim-rights.ts';
import type { ResourceClaim } from '#api/resource/resource-claim.ts';
import { accountOfUser } from '../authn/token-claims.ts';
import type { AuthorizationRequest, Authorizer } from '../authz/contract.ts';
import { refusal } from '../http/filters/authorization.ts';
import type { AdmissionPlugin, AdmissionRequest, UserInfo } from '../registry/contract.ts';

const nodeNameKey = 'authentication.kubernetes.io/node-name';

/** Asks for `resourceclaims/binding` and `resourceclaims/driver`, which exist as rights only. Part of the server, not of the list of plugins. */
export function claimStatusRights(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ResourceClaimStatusRights',
    validate: (request) => {
      const { kind, operation, context } = request;
      const isStatus = kind.group === 'resource.k8s.io' && kind.kind === 'ResourceClaim' && context.subresource === 'status';
      return isStatus && operation === 'UPDATE' ? requireRights(authorizer, request) : undefined;
    },
  };
}

async function requireRights(authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { kind, name, context } = request;
  const next = request.object as ResourceClaim;
  const prev = request.previous as ResourceClaim;
  const verb = context.verb ?? 'update';
  const problems: FieldProblem[] = [];
  if (changesBinding(next, prev)) {
    const why = await refusalOf(authorizer, [{ ...right(request, verb, 'binding'), namespace: '', name: '' }]);
    const text = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission`;
    if (why !== undefined) problems.push(forbiddenField('status', `${text}: ${why}`));
  }
  const where = isOnNode(context.user, nodeOfAllocation(next.status?.allocation))
    ? ['associated-node', 'arbitrary-node']
    : ['arbitrary-node'];
  const verbs = where.map((prefix) => `${prefix}:${verb}`);
  for (const driver of reportedDrivers(next, prev)) {
    const asked = verbs.map((one) => ({ ...right(request, one, 'driver'), namespace: context.namespace, name: driver }));
    const why = await refusalOf(authorizer, asked);
    const text = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission`;
    if (why !== undefined) problems.push(forbiddenField('status.devices', `${text}: ${why}`));
  }
  if (problems.length > 0) throw invalidObject(kind, name, problems);
}

/** Undefined where one of the rights is there; else why the first is not. */
async function refusalOf(authorizer: Authorizer, requests: readonly AuthorizationRequest[]): Promise<string | undefined> {
  let first: string | undefined;
  for (const request of requests) {
    const { verdict, reason } = await authorizer.authorize(request);
    if (verdict === 'allow') return undefined;
    first ??= refusal(request, reason).message;
  }
  return first;
}

function right({ context }: AdmissionRequest, verb: string, subresource: string): Omit<AuthorizationRequest, 'namespace' | 'name'> {
  const resource = { group: 'resource.k8s.io', version: 'v1', resource: 'resourceclaims', subresource };
  return { user: context.user, isResource: true, verb, path: '', ...resource };
}

/** A service account whose token says that it is used on that node. */
function isOnNode({ name, extra = {} }: UserInfo, node: string): boolean {
  const [own = '', ...others] = extra[nodeNameKey] ?? [];
  return node !== '' && own === node && others.length === 0 && accountOfUser(name) !== undefined && dnsSubdomainProblems(own).length === 0;
}
