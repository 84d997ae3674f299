// Acting as somebody else (`kubectl --as`): whoever has the right to impersonate a user, its groups and the rest goes on as that user.
import { authenticatedGroup, unauthenticatedGroup } from '../../authn/contract.ts';
import type { AuthorizationRequest, Authorizer } from '../../authz/contract.ts';
import type { UserInfo } from '../../registry/contract.ts';
import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import { refusal } from './authorization.ts';
import type { Filter } from './filter.ts';

const accountPrefix = 'system:serviceaccount:';
const extraPrefix = 'impersonate-extra-';

/** What the headers ask for. */
interface Wish {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Replaces the user of a request that asks for it, if every part of the wish is allowed; answers 403 otherwise. */
export function impersonation(authorizer: Authorizer): Filter {
  return (exchange, next) => {
    const wish = readWish(exchange);
    if (wish === undefined) return next(exchange);
    if (wish.user === '') {
      return sendText(exchange, 500, `Internal Server Error: ${JSON.stringify(exchange.info.path)}: ${strayWish(wish)}\n`);
    }
    return become(exchange, wish, authorizer).then(() => next(exchange));
  };
}

async function become(exchange: Exchange, wish: Wish, authorizer: Authorizer): Promise<void> {
  for (const request of rightsFor(wish, exchange.requireUser)) {
    const decision = await authorizer.authorize(request);
    if (decision.verdict !== 'allow') throw refusal(request, decision.reason);
  }
  exchange.user = impersonated(wish);
}

function readWish({ request }: Exchange): Wish | undefined {
  const { headers, rawHeaders } = request;
  let isThere = false;
  for (const name in headers) isThere ||= name.startsWith('impersonate-');
  if (!isThere) return undefined;
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  // Node joins what comes several times, and a group's name may hold a comma.
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    if (name === 'impersonate-group') groups.push(value);
    if (!name.startsWith(extraPrefix)) continue;
    const key = unescaped(name.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  const user = one(headers['impersonate-user']);
  const uid = one(headers['impersonate-uid']);
  const isWish = user !== '' || uid !== '' || groups.length > 0 || extra.size > 0;
  return isWish ? { user, uid, groups, extra: Object.fromEntries(extra) } : undefined;
}

function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Keys of extras may hold what headers' names may not. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function strayWish({ uid, groups, extra }: Wish): string {
  const parts = { uid, groups, extra };
  return `requested ${JSON.stringify(parts)} without impersonating a user`;
}

/** Each part of a wish is a right of its own: the verb `impersonate` on users, service accounts, groups, uids and extras. */
function* rightsFor(wish: Wish, user: UserInfo): Generator<AuthorizationRequest> {
  const right = (resource: string, name: string, more: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
    user,
    isResource: true,
    verb: 'impersonate',
    path: '',
    group: '',
    version: 'v1',
    resource,
    subresource: '',
    namespace: '',
    name,
    ...more,
  });
  const account = accountOf(wish.user);
  yield account === undefined ? right('users', wish.user) : right('serviceaccounts', account.name, { namespace: account.namespace });
  for (const group of wish.groups) yield right('groups', group);
  const group = 'authentication.k8s.io';
  for (const [key, values] of Object.entries(wish.extra)) {
    for (const value of values) yield right('userextras', value, { group, subresource: key });
  }
  if (wish.uid !== '') yield right('uids', wish.uid, { group });
}

function accountOf(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(accountPrefix)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(accountPrefix.length).split(':');
  return namespace === '' || name === '' || rest.length > 0 ? undefined : { namespace, name };
}

/** Groups that every user of its sort has come by themselves; a service account's own ones only where no groups are asked for. */
function impersonated({ user, uid, groups, extra }: Wish): UserInfo {
  const account = accountOf(user);
  const own =
    account !== undefined && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : groups;
  const usual = user === 'system:anonymous' ? unauthenticatedGroup : authenticatedGroup;
  const isPlaced = own.includes(authenticatedGroup) || own.includes(unauthenticatedGroup);
  return {
    name: user,
    groups: isPlaced ? own : [...own, usual],
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
