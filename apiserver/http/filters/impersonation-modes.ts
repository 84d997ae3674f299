// Which users a user may impersonate (apiserver/pkg/endpoints/filters/impersonation). Constrained modes come first: whoever has one
// needs the right to be that user, `impersonate:MODE`, and the right to do this very thing as one, `impersonate-on:MODE:VERB`. The old
// right to `impersonate` allows everything that the other may do.
import { nameIsDnsSubdomain } from '#api/meta/names.ts';
import type { ApiError } from '#api/meta/status.ts';
import { authenticatedGroup, unauthenticatedGroup } from '../../authn/contract.ts';
import { accountOfUser } from '../../authn/token-claims.ts';
import type { AuthorizationRequest, Authorizer } from '../../authz/contract.ts';
import type { UserInfo } from '../../registry/contract.ts';
import { refusal } from './authorization.ts';

/** Whom a request wants to be. */
export interface Impersonation {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The user and by what constrained right, why not, or undefined where a mode is not for such users. */
type Outcome = { readonly user: UserInfo; readonly constraint: string | undefined } | { readonly error: ApiError } | undefined;

interface Attempt {
  readonly wanted: Impersonation;
  /** What is asked for, by whoever really asks. */
  readonly request: AuthorizationRequest;
  readonly authorizer: Authorizer;
}

type Mode = (attempt: Attempt) => Promise<Outcome>;

const group = 'authentication.k8s.io';
const nodePrefix = 'system:node:';
const nodesGroup = 'system:nodes';
const superusers = 'system:masters';
const anonymous = 'system:anonymous';
const nodeNameKey = 'authentication.kubernetes.io/node-name';
const nodeKeysKey = 'authentication.kubernetes.io/associated-node-keys';
/** So many checks are worth asking first whether all are allowed. */
const manyChecks = 4;

/** In the order in which they are tried. */
export const modes: readonly Mode[] = [associatedNode, arbitraryNode, serviceAccount, userInfo, legacy];

/** A service account acts as the node that its pod runs on. */
async function associatedNode({ wanted, request, authorizer }: Attempt): Promise<Outcome> {
  const { extra = {}, ...requestor } = request.user;
  const names = extra[nodeNameKey] ?? [];
  const isOwnNode = names.length === 1 && names[0] === nodeOf(wanted.user) && accountOfUser(requestor.name) !== undefined;
  if (!isOwnNode || !isNameOnly(wanted)) return undefined;
  const user = { ...requestor, extra: { [nodeKeysKey]: Object.keys(extra).toSorted() } };
  return constrained({ wanted, request: { ...request, user }, authorizer }, 'associated-node');
}

async function arbitraryNode(attempt: Attempt): Promise<Outcome> {
  const { wanted } = attempt;
  return isNameOnly(wanted) && nodeOf(wanted.user) !== undefined ? constrained(attempt, 'arbitrary-node') : undefined;
}

async function serviceAccount(attempt: Attempt): Promise<Outcome> {
  const { wanted } = attempt;
  return isNameOnly(wanted) && accountOfUser(wanted.user) !== undefined ? constrained(attempt, 'serviceaccount') : undefined;
}

async function userInfo(attempt: Attempt): Promise<Outcome> {
  const { user } = attempt.wanted;
  return nodeOf(user) === undefined && accountOfUser(user) === undefined ? constrained(attempt, 'user-info') : undefined;
}

function legacy(attempt: Attempt): Promise<Outcome> {
  return authorizeParts(attempt, 'impersonate', undefined);
}

async function constrained(attempt: Attempt, mode: string): Promise<Outcome> {
  const { request, authorizer } = attempt;
  const error = await lacks(authorizer, { ...request, verb: `impersonate-on:${mode}:${request.verb}` });
  return error === undefined ? await authorizeParts(attempt, `impersonate:${mode}`, mode) : { error };
}

/** Authorizes each part of the impersonation. `mode` is undefined for the unconstrained one. */
async function authorizeParts({ wanted, request, authorizer }: Attempt, verb: string, mode: string | undefined): Promise<Outcome> {
  const right = (resource: string, name: string, more: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
    user: request.user,
    isResource: true,
    verb,
    path: '',
    group,
    version: 'v1',
    resource,
    subresource: '',
    namespace: '',
    name,
    ...more,
  });
  const core = mode === undefined ? { group: '' } : {};
  const account = accountOfUser(wanted.user);
  const node = mode === undefined ? undefined : nodeOf(wanted.user);
  const who =
    account !== undefined
      ? right('serviceaccounts', account.name, { ...core, namespace: account.namespace })
      : node !== undefined
        ? right('nodes', mode === 'associated-node' ? '*' : node)
        : right('users', wanted.user, core);
  const error =
    (await lacks(authorizer, who)) ??
    (wanted.uid === '' ? undefined : await lacks(authorizer, right('uids', wanted.uid))) ??
    (await lacksGroups(authorizer, wanted, right('groups', '', core), mode)) ??
    (await lacksExtra(authorizer, wanted, right('userextras', ''), mode));
  if (error !== undefined) return { error };
  return { user: userOf(wanted, account, node), constraint: mode === undefined ? undefined : verb };
}

async function lacksGroups(
  authorizer: Authorizer,
  { groups }: Impersonation,
  right: AuthorizationRequest,
  mode: string | undefined,
): Promise<ApiError | undefined> {
  if (mode !== undefined) {
    if (groups.includes('')) return refusal(right, 'impersonating the empty string group is not allowed');
    if (groups.includes(superusers))
      return refusal({ ...right, name: superusers }, 'impersonating the system:masters group is not allowed');
    if (groups.length >= manyChecks && (await lacks(authorizer, { ...right, name: '*' })) === undefined) return undefined;
  }
  for (const name of groups) {
    const error = await lacks(authorizer, { ...right, name });
    if (error !== undefined) return error;
  }
  return undefined;
}

async function lacksExtra(
  authorizer: Authorizer,
  { extra }: Impersonation,
  right: AuthorizationRequest,
  mode: string | undefined,
): Promise<ApiError | undefined> {
  const entries = Object.entries(extra);
  if (mode !== undefined) {
    const problem = entries.map(([key, values]) => extraProblem(key, values)).find((one) => one !== undefined);
    if (problem !== undefined) return refusal(right, problem);
    const isLarge = entries.length >= manyChecks || entries.reduce((sum, [, values]) => sum + values.length, 0) >= manyChecks;
    if (isLarge && (await lacks(authorizer, { ...right, subresource: '*', name: '*' })) === undefined) return undefined;
  }
  for (const [subresource, values] of entries) {
    for (const name of values) {
      const error = await lacks(authorizer, { ...right, subresource, name });
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed';
  const slash = key.indexOf('/');
  const isPath =
    slash > 0 &&
    nameIsDnsSubdomain(key.slice(0, slash), false).length === 0 &&
    /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(key.slice(slash + 1));
  if (!isPath) {
    const why = `extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
    return `impersonating an invalid key in extra is not allowed: ${why}`;
  }
  if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
  return values.includes('') ? 'impersonating the empty string value in extra is not allowed' : undefined;
}

async function lacks(authorizer: Authorizer, request: AuthorizationRequest): Promise<ApiError | undefined> {
  const { verdict, reason } = await authorizer.authorize(request);
  return verdict === 'allow' ? undefined : refusal(request, reason);
}

/** Groups that every user of its sort has come by themselves; a service account's own ones only where no groups are asked for. */
function userOf(
  { user, uid, groups, extra }: Impersonation,
  account: { readonly namespace: string } | undefined,
  node: string | undefined,
): UserInfo {
  const fixed = account === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  const own = node !== undefined ? [nodesGroup] : groups.length === 0 ? fixed : groups;
  const usual = user === anonymous ? unauthenticatedGroup : authenticatedGroup;
  const isPlaced = own.includes(usual) || own.includes(unauthenticatedGroup);
  return {
    name: user,
    groups: isPlaced ? own : [...own, usual],
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function isNameOnly({ uid, groups, extra }: Impersonation): boolean {
  return uid === '' && groups.length === 0 && Object.keys(extra).length === 0;
}

function nodeOf(user: string): string | undefined {
  if (!user.startsWith(nodePrefix)) return undefined;
  const name = user.slice(nodePrefix.length);
  return nameIsDnsSubdomain(name, false).length === 0 ? name : undefined;
}
