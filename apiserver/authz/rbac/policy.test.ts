import { expect, test } from 'vitest';
import { RbacPolicy } from './policy.ts';

const group = 'rbac.authorization.k8s.io';
const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const binding = (name: string, role: string) => ({
  metadata: { name },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'User', name: 'ann', apiGroup: group }],
});

test('a new list takes away what it no longer holds, and only that', () => {
  const policy = new RbacPolicy();
  for (const name of ['a', 'b']) {
    policy.set('clusterroles', { metadata: { name }, rules } as never);
    policy.set('clusterrolebindings', binding(name, name));
  }
  policy.set('roles', { metadata: { name: 'b', namespace: 'n' }, rules } as never);
  const held = (): unknown[] =>
    [...policy.grantsOf({ name: 'ann', groups: [] }, '')].map((grant) => [grant.binding.metadata.name, grant.role?.rules]);
  policy.retain('clusterroles', new Set(['a']));
  expect(held()).toEqual([
    ['a', rules],
    ['b', undefined],
  ]);
  policy.retain('clusterrolebindings', new Set(['b']));
  expect(held()).toEqual([['b', undefined]]);
  expect(policy.roleOf({ apiGroup: group, kind: 'Role', name: 'b' }, 'n')?.rules).toEqual(rules);
});
