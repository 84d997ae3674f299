import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClusterRole, clusterRole } from '#api/rbac/cluster-role.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;
let plane: ControlPlane;
beforeEach(async () => void (plane = await ControlPlane.start({ selection: ['clusterrole-aggregation-controller'] })));
afterEach(() => plane[Symbol.asyncDispose]());

test('default roles are filled, step by step, and by what people add', async () => {
  const resources = async (name: string): Promise<readonly string[]> =>
    ((await plane.find<ClusterRole>(clusterRole, name, ''))?.rules ?? []).flatMap((rule) => rule.resources ?? []);
  await plane.until('rights of administrators', async () => {
    const found = await resources('admin');
    return ['rolebindings', 'pods/exec', 'pods/log'].every((one) => found.includes(one));
  });
  expect(await resources('view')).not.toContain('secrets');

  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
  const rules = [{ verbs: ['get'], apiGroups: ['acme.org'], resources: ['rockets'] }];
  await plane.client.create<ClusterRole>(clusterRole, { metadata: { name: 'rockets', labels }, rules }, {}, never);
  await plane.until('rockets', async () => (await resources('admin')).includes('rockets'));
  await plane.client.delete(clusterRole, { name: 'rockets' }, {}, never);
  await plane.until('no rockets', async () => !(await resources('admin')).includes('rockets'));
});
