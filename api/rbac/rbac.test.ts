import { expect, test } from 'vitest';
import type { KindDefinition } from '../kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { clusterRoleBinding } from './cluster-role-binding.ts';
import { clusterRole } from './cluster-role.ts';
import { roleBinding } from './role-binding.ts';
import { role } from './role.ts';

const inNamespace = 'metadata: {name: "a:b", namespace: n}';
const inCluster = 'metadata: {name: "a:b"}';
const group = 'rbac.authorization.k8s.io';
const roleRef = `roleRef: {apiGroup: ${group}, kind: ClusterRole, name: r}`;

test.each<[string, unknown, string, string[]]>([
  ['fine role', role, `${inNamespace}\nrules: [{verbs: [get], apiGroups: [""], resources: [pods], resourceNames: [p]}]`, []],
  ['fine cluster role', clusterRole, `${inCluster}\nrules: [{verbs: [get], nonResourceURLs: [/x]}]`, []],
  [
    'empty rule',
    role,
    `${inNamespace}\nrules: [{verbs: []}]`,
    [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  [
    'names of several resources',
    role,
    `${inNamespace}\nrules: [{verbs: [get], apiGroups: [""], resources: [a, b], resourceNames: [p, q]}]`,
    [],
  ],
  [
    'URLs in a namespace',
    role,
    `${inNamespace}\nrules: [{verbs: [get], nonResourceURLs: [/x]}]`,
    ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
  ],
  [
    'URLs and resources',
    clusterRole,
    `${inCluster}\nrules: [{verbs: [get], nonResourceURLs: [/x], resources: [pods]}]`,
    ['rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs'],
  ],
  [
    'empty aggregation',
    clusterRole,
    `${inCluster}\naggregationRule: {}`,
    ['aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil'],
  ],
  [
    'aggregation',
    clusterRole,
    `${inCluster}\naggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: a, operator: Is}]}]}`,
    [
      'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      'aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.',
    ],
  ],
  ['name', role, 'metadata: {name: a/b, namespace: n}', ['metadata.name: Invalid value: "a/b": may not contain \'/\'']],
  ['fine binding', roleBinding, `${inNamespace}\n${roleRef}\nsubjects: [{kind: ServiceAccount, name: s}, {kind: User, name: u}]`, []],
  [
    'empty binding',
    roleBinding,
    inNamespace,
    ['roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"', 'roleRef.name: Required value'],
  ],
  [
    'cluster binding of a role',
    clusterRoleBinding,
    `${inCluster}\nroleRef: {apiGroup: x, kind: Role, name: "%"}`,
    [
      `roleRef.apiGroup: Unsupported value: "x": supported values: "${group}"`,
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'roleRef.name: Invalid value: "%": may not contain \'%\'',
    ],
  ],
  [
    'subjects',
    clusterRoleBinding,
    `${inCluster}\n${roleRef}\nsubjects: [{kind: ServiceAccount, name: s, apiGroup: x}, {kind: User, name: ""}, {kind: Robot, name: r}, {kind: Group, name: g, apiGroup: y}]`,
    [
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[0].namespace: Required value',
      'subjects[1].name: Required value',
      'subjects[2].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      `subjects[3].apiGroup: Unsupported value: "y": supported values: "${group}"`,
    ],
  ],
])('create: %s', (_name, kind, yaml, expected) => {
  expect(createProblems(kind as KindDefinition<KubeObject>, yaml)).toEqual(expected);
});

test.each([
  ['role binding', roleBinding, inNamespace],
  ['cluster role binding', clusterRoleBinding, inCluster],
] as const)('%s: the role stays, groups are filled in', (_name, kind, meta) => {
  const yaml = `${meta}\nroleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: Group, name: g}, {kind: ServiceAccount, namespace: n, name: s}]`;
  const object = decoded(kind as typeof clusterRoleBinding, yaml);
  expect(object.roleRef.apiGroup).toBe(group);
  expect(object.subjects).toEqual([
    { kind: 'Group', name: 'g', apiGroup: group },
    { kind: 'ServiceAccount', namespace: 'n', name: 's' },
  ]);
  expect(updateProblems(kind as typeof clusterRoleBinding, yaml, (changed) => void (changed.roleRef.name = 'x'))).toEqual([
    `roleRef: Invalid value: {"APIGroup":"${group}","Kind":"ClusterRole","Name":"x"}: cannot change roleRef`,
  ]);
  expect(row(kind as typeof clusterRoleBinding, object)).toEqual({
    Name: 'a:b',
    Role: 'ClusterRole/r',
    Age: '<unknown>',
    Users: '',
    Groups: 'g',
    ServiceAccounts: 'n/s',
  });
});

test('a role without rules says so', () => {
  expect(decoded(role, inNamespace).rules).toEqual([]);
});
