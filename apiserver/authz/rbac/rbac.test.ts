// Roles and bindings made by users, over the wire: who may do what, and who may give what away.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { subjectAccessReview } from '#api/authorization/subject-access-review.ts';
import { lease } from '#api/coordination/lease.ts';
import { configMap } from '#api/core/config-map.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { roleBinding } from '#api/rbac/role-binding.ts';
import { role } from '#api/rbac/role.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../../testing.ts';

const { signal } = new AbortController();
let server: TestApiServer;
let admin: RestClient;
let bob: RestClient;

const group = 'rbac.authorization.k8s.io';
const pods = (...verbs: string[]) => ({ verbs, apiGroups: [''], resources: ['pods'] });
const rbac = {
  verbs: ['create', 'update', 'get'],
  apiGroups: [group],
  resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
};
const to = (kind: string, name: string) => ({ roleRef: { apiGroup: group, kind, name } });
const user = (name: string) => ({ kind: 'User', name, apiGroup: group });
const here = (name: string) => ({ name, namespace: 'default' });

const make = (client: RestClient, kind: unknown, object: object): Promise<KubeObject> =>
  client.create(kind as KindDefinition<KubeObject>, object as KubeObject, {}, signal);

beforeAll(async () => {
  server = await startTestApiServer();
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  bob = connect(await server.clientConfigFor('bob', ['team']), { clock: systemClock, component: 'test' });
  await make(admin, clusterRole, { metadata: { name: 'rbac' }, rules: [rbac] });
  await make(admin, clusterRole, {
    metadata: { name: 'reader' },
    rules: [pods('get', 'list'), { verbs: ['get'], nonResourceURLs: ['/metrics'] }],
  });
  await make(admin, role, { metadata: here('local'), rules: [pods('delete')] });
  await make(admin, clusterRoleBinding, { metadata: { name: 'rbac' }, ...to('ClusterRole', 'rbac'), subjects: [user('bob')] });
  await make(admin, clusterRoleBinding, {
    metadata: { name: 'team' },
    ...to('ClusterRole', 'reader'),
    subjects: [{ kind: 'Group', name: 'team' }],
  });
  await make(admin, roleBinding, {
    metadata: here('local'),
    ...to('Role', 'local'),
    subjects: [user('carol'), { kind: 'ServiceAccount', name: 'robot' }],
  });
  await make(admin, roleBinding, { metadata: here('borrowed'), ...to('ClusterRole', 'reader'), subjects: [user('carol')] });
  await make(admin, roleBinding, { metadata: here('dangling'), ...to('Role', 'ghost'), subjects: [user('dave')] });
});

afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server.stop();
});

/** What a review of somebody's rights says, once it says what is expected: the policy follows the store at once, but not in step. */
async function verdict(who: object, resourceAttributes: object): Promise<unknown> {
  const object = { metadata: {}, spec: { ...who, resourceAttributes } };
  return ((await make(admin, subjectAccessReview, object)) as KubeObject & { status: unknown }).status;
}

describe('who may do what', () => {
  const robot = { user: 'system:serviceaccount:default:robot' };
  test.each<[string, object, object, object]>([
    [
      'group',
      { user: 'x', groups: ['team'] },
      { verb: 'get', resource: 'pods', namespace: 'any' },
      { allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "team" of ClusterRole "reader" to Group "team"' },
    ],
    [
      'user',
      { user: 'carol' },
      { verb: 'delete', resource: 'pods', namespace: 'default' },
      { allowed: true, reason: 'RBAC: allowed by RoleBinding "local/default" of Role "local" to User "carol"' },
    ],
    ['elsewhere', { user: 'carol' }, { verb: 'delete', resource: 'pods', namespace: 'other' }, { allowed: false }],
    ['everywhere', { user: 'carol' }, { verb: 'list', resource: 'pods' }, { allowed: false }],
    [
      'borrowed',
      { user: 'carol' },
      { verb: 'list', resource: 'pods', namespace: 'default' },
      { allowed: true, reason: 'RBAC: allowed by RoleBinding "borrowed/default" of ClusterRole "reader" to User "carol"' },
    ],
    [
      'account',
      robot,
      { verb: 'delete', resource: 'pods', namespace: 'default' },
      { allowed: true, reason: 'RBAC: allowed by RoleBinding "local/default" of Role "local" to ServiceAccount "robot/default"' },
    ],
    [
      'lost',
      { user: 'dave' },
      { verb: 'get', resource: 'pods', namespace: 'default' },
      { allowed: false, reason: 'RBAC: role.rbac.authorization.k8s.io "ghost" not found' },
    ],
  ])('%s', async (_name, who, attributes, expected) => {
    await expect.poll(() => verdict(who, attributes)).toEqual(expected);
  });

  test('it ends with the binding', async () => {
    const who = { user: 'erin' };
    const attributes = { verb: 'get', resource: 'pods' };
    await make(admin, clusterRoleBinding, { metadata: { name: 'erin' }, ...to('ClusterRole', 'reader'), subjects: [user('erin')] });
    await expect.poll(() => verdict(who, attributes)).toMatchObject({ allowed: true });
    await admin.delete(clusterRoleBinding, { name: 'erin' }, {}, signal);
    await expect.poll(() => verdict(who, attributes)).toEqual({ allowed: false });
  });

  test('whoever is made an administrator may do everything', async () => {
    const binding = await admin.get(clusterRoleBinding, { name: 'cluster-admin' }, signal);
    expect(binding.metadata).toMatchObject({
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
    });
    await make(admin, clusterRoleBinding, { metadata: { name: 'hugo' }, ...to('ClusterRole', 'cluster-admin'), subjects: [user('hugo')] });
    await expect.poll(() => verdict({ user: 'hugo' }, { verb: 'delete', resource: 'nodes', name: 'x' })).toMatchObject({ allowed: true });
  });

  test('who may only change objects makes none by changing what is not there', async () => {
    const rules = [{ verbs: ['update', 'patch'], apiGroups: ['coordination.k8s.io'], resources: ['leases'] }];
    await make(admin, role, { metadata: here('leases'), rules });
    await make(admin, roleBinding, { metadata: here('leases'), ...to('Role', 'leases'), subjects: [user('bob')] });
    const object = { metadata: here('l'), spec: {} };
    const whole = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...object };
    const put = () => bob.update(lease, object, {}, signal).catch((error: Error) => error.message);
    const apply = () =>
      bob.patch(lease, here('l'), whole, { type: 'apply', fieldManager: 'm' }, signal).catch((error: Error) => error.message);
    await expect.poll(put).toBe('leases.coordination.k8s.io "l" is forbidden: ');
    expect(await apply()).toBe('leases.coordination.k8s.io "l" is forbidden: ');
    await make(admin, lease, object);
    expect(await apply()).toMatchObject({ metadata: here('l') });
  });

  test('it counts for requests', async () => {
    await expect(bob.get(configMap, here('x'), signal)).rejects.toThrow(
      'configmaps "x" is forbidden: User "bob" cannot get resource "configmaps"',
    );
    await make(admin, role, { metadata: here('maps'), rules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }] });
    await make(admin, roleBinding, { metadata: here('maps'), ...to('Role', 'maps'), subjects: [user('bob')] });
    await expect.poll(() => bob.get(configMap, here('x'), signal).catch((error: Error) => error.message)).toBe('configmaps "x" not found');
  });
});

describe('who may give what away', () => {
  const lacks = (what: string, ...rules: string[]): string =>
    `${what} is forbidden: user "bob" (groups=["team" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n${rules.join('\n')}`;

  test('what one holds', async () => {
    await make(bob, role, { metadata: here('fine'), rules: [pods('get')] });
    await make(bob, roleBinding, { metadata: here('fine'), ...to('Role', 'fine'), subjects: [user('frank')] });
  });

  test('nothing more, in a role', async () => {
    await expect(make(bob, role, { metadata: here('more'), rules: [pods('get', 'delete', 'patch')] })).rejects.toThrow(
      lacks('roles.rbac.authorization.k8s.io "more"', '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}'),
    );
    const found = await admin.get(role, here('local'), signal);
    await expect(bob.update(role, { ...found, rules: [pods('delete', 'get')] }, {}, signal)).rejects.toThrow(/not currently held/);
  });

  test('nothing more, by a binding', async () => {
    const binding = { metadata: here('mine'), ...to('Role', 'local'), subjects: [user('bob')] };
    await expect(make(bob, roleBinding, binding)).rejects.toThrow(
      lacks('rolebindings.rbac.authorization.k8s.io "mine"', '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}'),
    );
    await expect(make(bob, roleBinding, { ...binding, ...to('Role', 'ghost') })).rejects.toThrow(
      'role.rbac.authorization.k8s.io "ghost" not found',
    );
  });

  test('no aggregation', async () => {
    const aggregated = { metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }, rules: [] };
    await expect(make(bob, clusterRole, aggregated)).rejects.toThrow(
      'clusterroles.rbac.authorization.k8s.io "sum" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    );
  });

  test('with the right to bind or to escalate, everything', async () => {
    const rules = [
      { verbs: ['bind'], apiGroups: [group], resources: ['roles'], resourceNames: ['local'] },
      { verbs: ['escalate'], apiGroups: [group], resources: ['roles'] },
    ];
    await make(admin, role, { metadata: here('free'), rules });
    await make(admin, roleBinding, { metadata: here('free'), ...to('Role', 'free'), subjects: [user('bob')] });
    const outcome = (kind: unknown, object: object) =>
      make(bob, kind, object).then(
        () => 'made',
        (error: Error) => error.message,
      );
    const binding = { metadata: here('bound'), ...to('Role', 'local'), subjects: [user('gina')] };
    await expect.poll(() => outcome(roleBinding, binding)).toBe('made');
    expect(await outcome(role, { metadata: here('big'), rules: [pods('*')] })).toBe('made');
  });
});
