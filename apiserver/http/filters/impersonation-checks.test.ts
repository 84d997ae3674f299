// Which rights are asked for, one after the other, when somebody wants to act as somebody else: case by case as upstream tests it
// (apiserver/pkg/endpoints/filters/impersonation). A check reads `+verb resource[/subresource] name`, `-` where it is refused.
import { expect, test } from 'vitest';
import type { AuthorizationRequest, Authorizer } from '../../authz/contract.ts';
import type { UserInfo } from '../../registry/contract.ts';
import type { Exchange } from '../exchange.ts';
import { Query } from '../query.ts';
import { parseRequestInfo } from '../request-info.ts';
import { impersonation } from './impersonation.ts';

type Headers = readonly (readonly [name: string, value: string])[];

const podPath = '/api/v1/namespaces/bar/pods/foo';
const nodeName = 'authentication.kubernetes.io/node-name';

/** Who may what; everybody may get and list as somebody else, were it not for who that is. */
function isAllowed({ user, verb, resource, subresource, name }: AuthorizationRequest): boolean {
  const may = (who: string, right: string, ...resources: string[]): boolean =>
    (user.name === who || user.groups.includes(who)) && verb === right && resources.includes(resource);
  const asUser = 'impersonate:user-info';
  return (
    /^impersonate-on:.*:(get|list)$/.test(verb) ||
    may('sa', 'impersonate:serviceaccount', 'serviceaccounts') ||
    may('node', 'impersonate:arbitrary-node', 'nodes') ||
    may('own-node', 'impersonate:associated-node', 'nodes') ||
    may('user', asUser, 'users', 'uids') ||
    may('groups', asUser, 'groups') ||
    (may('scopes', asUser, 'userextras') && subresource === 'pandas.io/scopes') ||
    (user.name === 'old' && verb === 'impersonate') ||
    may('many-groups', asUser, 'users') ||
    (may('many-groups', asUser, 'groups') && name === '*') ||
    may('many-extras', asUser, 'users') ||
    (may('many-extras', asUser, 'userextras') && subresource === '*' && name === '*') ||
    may('mixed', asUser, 'users') ||
    (may('mixed', asUser, 'groups') && name !== '*') ||
    (may('mixed', asUser, 'userextras') && subresource === 'tags.io/env' && name !== '*')
  );
}

/** Sends requests through one filter; answers the checks, and who the last became or why not. */
async function act(
  user: UserInfo,
  headers: Headers,
  { method = 'GET', path = podPath, times = 1, counts = [] as string[] } = {},
): Promise<{ checks: string[]; is: unknown }> {
  const checks: string[] = [];
  const authorizer = {
    authorize: (request: AuthorizationRequest) => {
      const { isResource, verb, resource, subresource, name, path: plain } = request;
      const what = isResource ? `${resource}${subresource === '' ? '' : `/${subresource}`} ${name}`.trimEnd() : plain;
      checks.push(`${isAllowed(request) ? '+' : '-'}${verb} ${what}`);
      return isAllowed(request) ? { verdict: 'allow', reason: '' } : { verdict: 'none', reason: 'deny by default' };
    },
  } as unknown as Authorizer;
  const count = (what: string) => (mode: string, allowed: boolean) => void counts.push(`${what} ${mode} ${allowed}`);
  const filter = impersonation(authorizer, { attempted: count('attempt'), checked: count('check') }, { monotonicMs: () => 0 });
  const rawHeaders = headers.flat();
  const byName = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  let is: unknown;
  for (let round = 0; round < times; round++) {
    checks.length = 0;
    const query = new Query('');
    const exchange = {
      request: { method, headers: byName, rawHeaders },
      query,
      info: parseRequestInfo(method, path, query),
      user,
      requireUser: user,
    } as unknown as Exchange;
    try {
      await filter(exchange, () => undefined);
      is = exchange.user;
    } catch (error) {
      is = (error as Error).message;
    }
  }
  return { checks, is };
}

const who = (name: string, groups: string[] = [], extra?: Record<string, string[]>): UserInfo => ({
  name,
  groups,
  ...(extra && { extra }),
});
const as = (name: string, ...more: [string, string][]): Headers => [['Impersonate-User', name], ...more];
const groups = (...names: string[]): [string, string][] => names.map((name) => ['Impersonate-Group', name]);
const extras = (key: string, ...values: string[]): [string, string][] => values.map((value) => [`Impersonate-Extra-${key}`, value]);
const info = 'impersonate:user-info';
const on = (mode: string, verb = 'get', what = 'pods foo'): string => `impersonate-on:${mode}:${verb} ${what}`;
const cannot = (resource: string, name: string, user: string, verb: string, why = 'deny by default'): string =>
  `${resource.split('/')[0] ?? ''}.authentication.k8s.io "${name}" is forbidden: User "${user}" cannot ${verb} resource "${resource}" ` +
  `in API group "authentication.k8s.io" at the cluster scope: ${why}`;
const account = 'system:serviceaccount:default:default';
const node = 'system:node:node1';
const everybody = 'system:authenticated';

test.each<[name: string, user: UserInfo, headers: Headers, checks: string[], is: unknown]>([
  [
    'nobody special',
    who('tester'),
    as('anyone'),
    [`+${on('user-info')}`, `-${info} users anyone`, '-impersonate users anyone'],
    cannot('users', 'anyone', 'tester', info),
  ],
  ['a user', who('user'), as('anyone'), [`+${on('user-info')}`, `+${info} users anyone`], { name: 'anyone', groups: [everybody] }],
  [
    'a service account',
    who('sa'),
    as(account),
    [`+${on('serviceaccount')}`, '+impersonate:serviceaccount serviceaccounts default'],
    { name: account, groups: ['system:serviceaccounts', 'system:serviceaccounts:default', everybody] },
  ],
  [
    'a node, which accounts are not',
    who('sa'),
    as(node),
    [`+${on('arbitrary-node')}`, '-impersonate:arbitrary-node nodes node1', `-impersonate users ${node}`],
    cannot('nodes', 'node1', 'sa', 'impersonate:arbitrary-node'),
  ],
  [
    'any node',
    who('node'),
    as(node),
    [`+${on('arbitrary-node')}`, '+impersonate:arbitrary-node nodes node1'],
    { name: node, groups: ['system:nodes', everybody] },
  ],
  [
    'its own node, by an account',
    who('system:serviceaccount:default:agent', ['own-node'], { [nodeName]: ['node1'] }),
    as(node),
    [`+${on('associated-node')}`, '+impersonate:associated-node nodes *'],
    { name: node, groups: ['system:nodes', everybody] },
  ],
  [
    'its own node, by who is no account',
    who('user', ['own-node'], { [nodeName]: ['node1'] }),
    as(node),
    [`+${on('arbitrary-node')}`, '-impersonate:arbitrary-node nodes node1', `-impersonate users ${node}`],
    cannot('nodes', 'node1', 'user', 'impersonate:arbitrary-node'),
  ],
  [
    'more than may be said of a user',
    who('user', ['groups']),
    as('system:admin', ...groups('scopes'), ...extras('pandas.io%2fscopes', 'scope-a', 'scope-b')),
    [
      `+${on('user-info')}`,
      `+${info} users system:admin`,
      `+${info} groups scopes`,
      `-${info} userextras/pandas.io/scopes scope-a`,
      '-impersonate users system:admin',
    ],
    cannot('userextras/pandas.io/scopes', 'scope-a', 'user', info),
  ],
  [
    'many values, each by itself where not all are allowed at once',
    who('user', ['scopes']),
    as('system:admin', ...extras('pandas.io%2fscopes', 'scope-a', 'scope-b', '5', '4')),
    [
      `+${on('user-info')}`,
      `+${info} users system:admin`,
      `-${info} userextras/* *`,
      ...['scope-a', 'scope-b', '5', '4'].map((value) => `+${info} userextras/pandas.io/scopes ${value}`),
    ],
    { name: 'system:admin', groups: [everybody], extra: { 'pandas.io/scopes': ['scope-a', 'scope-b', '5', '4'] } },
  ],
  [
    'the masters, whom no constrained right reaches',
    who('user'),
    as('admin-user', ...groups('system:masters')),
    [`+${on('user-info')}`, `+${info} users admin-user`, '-impersonate users admin-user'],
    cannot('groups', 'system:masters', 'user', info, 'impersonating the system:masters group is not allowed'),
  ],
  [
    'many groups at once',
    who('many-groups'),
    as('bob', ...groups('g1', 'g2', 'g3', 'g4')),
    [`+${on('user-info')}`, `+${info} users bob`, `+${info} groups *`],
    { name: 'bob', groups: ['g1', 'g2', 'g3', 'g4', everybody] },
  ],
  [
    'many kinds of extra at once',
    who('many-extras'),
    as('alice', ...['1', '2', '3', '4'].flatMap((at) => extras(`s.example.com%2fkey${at}`, `val${at}`))),
    [`+${on('user-info')}`, `+${info} users alice`, `+${info} userextras/* *`],
    {
      name: 'alice',
      groups: [everybody],
      extra: Object.fromEntries(['1', '2', '3', '4'].map((at) => [`s.example.com/key${at}`, [`val${at}`]])),
    },
  ],
  [
    'some of both, each by itself',
    who('mixed'),
    as('frank', ...groups('dev', 'ops', 'security', 'audit'), ...extras('tags.io%2fenv', 'prod', 'staging', 'dev')),
    [
      `+${on('user-info')}`,
      `+${info} users frank`,
      `-${info} groups *`,
      ...['dev', 'ops', 'security', 'audit'].map((name) => `+${info} groups ${name}`),
      ...['prod', 'staging', 'dev'].map((value) => `+${info} userextras/tags.io/env ${value}`),
    ],
    {
      name: 'frank',
      groups: ['dev', 'ops', 'security', 'audit', everybody],
      extra: { 'tags.io/env': ['prod', 'staging', 'dev'] },
    },
  ],
  [
    'a uid',
    who('user'),
    as('anyone', ['Impersonate-Uid', 'wanted']),
    [`+${on('user-info')}`, `+${info} users anyone`, `+${info} uids wanted`],
    { name: 'anyone', uid: 'wanted', groups: [everybody] },
  ],
])('to be %s', async (_, user, headers, checks, is) => {
  expect(await act(user, headers)).toEqual({ checks, is });
});

test.each<[what: string, method: string, path: string, checks: string[], is: unknown]>([
  [
    'a change that is not allowed as a node',
    'POST',
    `${podPath}/eviction`,
    [`-${on('arbitrary-node', 'create', 'pods/eviction foo')}`, `-impersonate users ${node}`],
    `pods "foo" is forbidden: User "node" cannot impersonate-on:arbitrary-node:create resource "pods/eviction" in API group "" ` +
      'in the namespace "bar": deny by default',
  ],
  [
    'a sub-resource',
    'GET',
    `${podPath}/status`,
    [`+${on('arbitrary-node', 'get', 'pods/status foo')}`, '+impersonate:arbitrary-node nodes node1'],
    { name: node, groups: ['system:nodes', everybody] },
  ],
  [
    'a page',
    'GET',
    '/healthz',
    [`+${on('arbitrary-node', 'get', '/healthz')}`, '+impersonate:arbitrary-node nodes node1'],
    { name: node, groups: ['system:nodes', everybody] },
  ],
])('%s is asked for as it is', async (_, method, path, checks, is) => {
  expect(await act(who('node'), as(node), { method, path })).toEqual({ checks, is });
});

test.each<[what: string, user: UserInfo, headers: Headers, counts: string[]]>([
  ['by none', who('tester'), as('anyone'), ['check user-info true', 'check user-info false', 'check legacy false', 'attempt  false']],
  [
    'by a constrained right',
    who('sa'),
    as(account),
    ['check serviceaccount true', 'check serviceaccount true', 'attempt serviceaccount true'],
  ],
  ['by the old one', who('old'), as('x'), ['check user-info true', 'check user-info false', 'check legacy true', 'attempt legacy true']],
])('an attempt is counted %s', async (_, user, headers, expected) => {
  const counts: string[] = [];
  await act(user, headers, { counts });
  expect(counts).toEqual(expected);
});

test('who has the old right is asked for it alone the next time', async () => {
  const is = { name: 'anyone', groups: [everybody] };
  const first = [`+${on('user-info')}`, `-${info} users anyone`, '+impersonate users anyone'];
  expect(await act(who('old'), as('anyone'))).toEqual({ checks: first, is });
  expect(await act(who('old'), as('anyone'), { times: 2 })).toEqual({ checks: ['+impersonate users anyone'], is });
});
