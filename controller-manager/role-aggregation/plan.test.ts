import { expect, test } from 'vitest';
import type { V1PolicyRule } from '#api/generated/types.ts';
import { labelSelectorOf } from '#api/meta/label-selector.ts';
import type { ClusterRole } from '#api/rbac/cluster-role.ts';
import { planAggregation } from './plan.ts';

const rule = (verb: string): V1PolicyRule => ({ verbs: [verb], apiGroups: [''], resources: ['pods'] });
const role = (name: string, labels: Record<string, string>, ...verbs: string[]): ClusterRole => ({
  metadata: { name, labels },
  rules: verbs.map(rule),
});
const toA = { a: 'true' };
const toB = { b: 'true' };

test.each<[string, ClusterRole, object[], ClusterRole[], V1PolicyRule[] | undefined]>([
  ['by name, each rule once', role('sum', {}), [toA], [role('z', toA, 'get', 'list'), role('y', toA, 'list')], [rule('list'), rule('get')]],
  ['selector by selector', role('sum', {}), [toB, toA], [role('x', toA, 'get'), role('y', toB, 'list')], [rule('list'), rule('get')]],
  ['nothing to do', role('sum', {}, 'get'), [toA], [role('x', toA, 'get')], undefined],
  ['none left', role('sum', {}, 'get'), [toA], [role('x', toB, 'get')], []],
  ['not itself', role('sum', toA, 'get'), [toA], [role('x', toA, 'list')], [rule('list')]],
  ['what was written by hand goes', role('sum', {}, 'delete', 'get'), [toA], [role('x', toA, 'get')], [rule('get')]],
])('%s', (_name, sum, selectors, others, expected) => {
  const compiled = selectors.map((matchLabels) => labelSelectorOf({ matchLabels: matchLabels as Record<string, string> }));
  expect(planAggregation(sum, compiled, [...others, sum])).toEqual(expected);
});
