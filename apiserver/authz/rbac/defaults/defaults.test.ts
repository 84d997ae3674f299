import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { V1ClusterRole, V1PolicyRule } from '#api/generated/types.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { roleBinding } from '#api/rbac/role-binding.ts';
import { role } from '#api/rbac/role.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { MemoryStore } from '../../../storage/memory.ts';
import { startTestApiServer } from '../../../testing.ts';
import { defaultObjects, type BindingObject, type RoleObject } from './objects.ts';
import { repairBinding, repairRole } from './plan.ts';
import { ruleOf } from './rule-lines.ts';

const marks = {
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
};
const group = 'rbac.authorization.k8s.io';
const pods = (...verbs: string[]): V1PolicyRule => ({ apiGroups: [''], resources: ['pods'], verbs });
const groupSubject = (name: string) => ({ apiGroup: group, kind: 'Group', name });

test.each<[string, V1PolicyRule]>([
  ['get list | core | pods pods/log', { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }],
  ['patch | core events.k8s.io | events', { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['patch'] }],
  ['get | core | configmaps | a b', { apiGroups: [''], resourceNames: ['a', 'b'], resources: ['configmaps'], verbs: ['get'] }],
  ['* | URLs | *', { nonResourceURLs: ['*'], verbs: ['*'] }],
])('%s', (line, rule) => {
  expect(ruleOf(line)).toEqual(rule);
});

test('every binding binds a role that is there, and every list is sorted without repeats', () => {
  const all = new Map(defaultObjects());
  const names = (plural: 'clusterroles' | 'roles'): string[] =>
    (all.get(plural) ?? []).map(({ metadata: { namespace = '', name = '' } }) => `${namespace}/${name}`);
  for (const binding of (all.get('clusterrolebindings') ?? []) as BindingObject[])
    expect(names('clusterroles')).toContain(`/${binding.roleRef.name}`);
  for (const { metadata, roleRef } of (all.get('rolebindings') ?? []) as BindingObject[]) {
    expect(names('roles')).toContain(`${metadata.namespace}/${roleRef.name}`);
  }
  const rules = [...(all.get('clusterroles') ?? []), ...(all.get('roles') ?? [])].flatMap((one) => (one as RoleObject).rules ?? []);
  for (const rule of rules) for (const list of Object.values(rule)) expect(list).toEqual([...new Set(list as string[])].toSorted());
});

const gathering = { clusterRoleSelectors: [{ matchLabels: { a: 'true' } }] };
test.each<[string, RoleObject, RoleObject, unknown]>([
  [
    'as it should be',
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
    'keep',
  ],
  [
    'with less and with more',
    { metadata: { name: 'r', ...marks }, rules: [pods('list', 'delete')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get', 'list')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('list', 'delete'), pods('get')] },
  ],
  [
    'left alone',
    { metadata: { name: 'r', annotations: { [`${Object.keys(marks.annotations)[0]}`]: 'false' } }, rules: [] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
    'keep',
  ],
  [
    'without its marks',
    { metadata: { name: 'r', labels: { mine: 'x' } }, rules: [pods('get')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
    { metadata: { name: 'r', annotations: marks.annotations, labels: { ...marks.labels, mine: 'x' } }, rules: [pods('get')] },
  ],
  [
    'that gathers, filled by the controller',
    { metadata: { name: 'r', ...marks }, aggregationRule: gathering, rules: [pods('get')] },
    { metadata: { name: 'r', ...marks }, aggregationRule: gathering },
    'keep',
  ],
  [
    'that no longer gathers',
    { metadata: { name: 'r', ...marks }, rules: [] },
    { metadata: { name: 'r', ...marks }, aggregationRule: gathering },
    { metadata: { name: 'r', ...marks }, rules: [], aggregationRule: gathering },
  ],
  [
    'that should not gather',
    { metadata: { name: 'r', ...marks }, aggregationRule: gathering, rules: [pods('get')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
    { metadata: { name: 'r', ...marks }, rules: [pods('get')] },
  ],
])('a role %s', (_name, found, wanted, expected) => {
  const repair = repairRole(found, wanted);
  expect(repair.kind === 'keep' ? 'keep' : repair.object).toEqual(expected);
});

const roleRef = { apiGroup: group, kind: 'ClusterRole', name: 'r' };
const binding = (...subjects: string[]): BindingObject => ({
  metadata: { name: 'b', ...marks },
  roleRef,
  subjects: subjects.map(groupSubject),
});
test.each<[string, BindingObject, BindingObject, unknown]>([
  ['as it should be', binding('a'), binding('a'), { kind: 'keep' }],
  ['with a subject more', binding('a', 'b'), binding('a'), { kind: 'keep' }],
  ['with other subjects', binding('b'), binding('a'), { kind: 'change', object: binding('b', 'a') }],
  [
    'of another role',
    { ...binding('b'), metadata: { name: 'b', uid: 'u', ...marks }, roleRef: { ...roleRef, name: 'other' } },
    binding('a'),
    { kind: 'replace', object: binding('b', 'a') },
  ],
])('a binding %s', (_name, found, wanted, expected) => {
  expect(repairBinding(found, wanted)).toEqual(expected);
});

describe('a server that starts', () => {
  const { signal } = new AbortController();
  const store = new MemoryStore({ clock: systemClock });
  let admin: RestClient;

  /** Has a server run for a moment. */
  async function serve(work: () => Promise<void>): Promise<void> {
    await using server = await startTestApiServer({ store });
    admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
    await work();
    await admin[Symbol.asyncDispose]();
  }

  beforeAll(() =>
    serve(async () => {
      const found = await admin.get(clusterRole, { name: 'cluster-admin' }, signal);
      await admin.update(clusterRole, { ...found, rules: [] }, {}, signal);
      await admin.delete(clusterRoleBinding, { name: 'system:discovery' }, {}, signal);
      await admin.delete(role, { namespace: 'kube-public', name: 'system:controller:bootstrap-signer' }, {}, signal);
    }),
  );
  afterAll(() => store[Symbol.asyncDispose]());

  test('finds everything, or makes it again', async () => {
    await serve(async () => {
      const found = (await admin.get(clusterRole, { name: 'cluster-admin' }, signal)) as V1ClusterRole;
      expect(found.rules).toEqual([
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
        { nonResourceURLs: ['*'], verbs: ['*'] },
      ]);
      expect(found.metadata).toMatchObject(marks);
      const count = async (kind: typeof clusterRole): Promise<number> => (await admin.list(kind, {}, signal)).items.length;
      const wanted = defaultObjects().map(([, objects]) => objects.length);
      const kinds = [clusterRole, role, clusterRoleBinding, roleBinding] as unknown as (typeof clusterRole)[];
      expect(await Promise.all(kinds.map(count))).toEqual(wanted);
    });
  });
});
