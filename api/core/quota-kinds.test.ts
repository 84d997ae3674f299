import { expect, test } from 'vitest';
import type { KindDefinition } from '../kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { limitRange } from './limit-range.ts';
import { resourceQuota } from './resource-quota.ts';

/** A LimitRange with these items. */
function limits(items: string): string {
  return `metadata: {name: a, namespace: b}\nspec: {limits: [${items}]}`;
}

/** A ResourceQuota with these members of its spec. */
function quota(spec: string): string {
  return `metadata: {name: a, namespace: b}\nspec: {${spec}}`;
}

test.each<[string, string, object]>([
  ['nothing', '{type: Container}', { type: 'Container', default: {}, defaultRequest: {} }],
  [
    'maximum, then default, then minimum',
    '{type: Container, max: {cpu: 1, memory: 2Gi, x.y/z: 3}, min: {cpu: 100m, pods: 1}, default: {memory: 1Gi}}',
    {
      type: 'Container',
      max: { cpu: '1', memory: '2Gi', 'x.y/z': '3' },
      min: { cpu: '100m', pods: '1' },
      default: { cpu: '1', memory: '1Gi', 'x.y/z': '3' },
      defaultRequest: { cpu: '1', memory: '1Gi', 'x.y/z': '3', pods: '1' },
    },
  ],
  ['pods have none', '{type: Pod, max: {cpu: 1}}', { type: 'Pod', max: { cpu: '1' } }],
])('defaults of a limit range: %s', (_name, item, expected) => {
  const once = decoded(limitRange, limits(item));
  expect(once.spec.limits).toEqual([expected]);
  for (const rule of limitRange.defaults ?? []) rule(once);
  expect(once.spec.limits).toEqual([expected]);
});

test('a limit range without a name is called by its uid', () => {
  const object = decoded(limitRange, 'metadata: {namespace: b, uid: 1-2}');
  limitRange.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.metadata.name).toBe('1-2');
});

const notStandard = 'must be a standard resource type or fully qualified';
const applied =
  'spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":"Other","Operator":"In","Values":null},{"ScopeName":"Terminating","Operator":"NotIn","Values":["x"]},{"ScopeName":"PriorityClass","Operator":"Exists","Values":["x"]},{"ScopeName":"VolumeAttributesClass","Operator":"Near","Values":null},{"ScopeName":"NotTerminating","Operator":"Exists","Values":null}]}: unsupported scope applied to resource';
const notForContainers = 'must be a standard resource for containers';

test.each<[string, unknown, string, string[]]>([
  ['fine limits', limitRange, limits('{type: Container, max: {cpu: 2}, min: {cpu: 1}}, {type: x.y/Z}'), []],
  [
    'types',
    limitRange,
    limits('{type: "-"}, {type: Other}, {type: Pod}, {type: Pod}'),
    [
      "spec.limits[0].type: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.limits[1].type: Invalid value: "Other": must be a standard limit type or fully qualified',
      'spec.limits[3].type: Duplicate value: "Pod"',
    ],
  ],
  [
    'resources',
    limitRange,
    limits('{type: Pod, max: {gold: 1, storage: 1}, maxLimitRequestRatio: {pods: 2}}, {type: x.y/Z, min: {gold: 1, storage: 1}}'),
    [
      `spec.limits[0].max[gold]: Invalid value: "gold": ${notStandard}`,
      `spec.limits[0].max[gold]: Invalid value: "gold": ${notForContainers}`,
      `spec.limits[0].max[storage]: Invalid value: "storage": ${notForContainers}`,
      `spec.limits[0].maxLimitRequestRatio[pods]: Invalid value: "pods": ${notForContainers}`,
      `spec.limits[1].min[gold]: Invalid value: "gold": ${notStandard}`,
    ],
  ],
  [
    'defaults of pods',
    limitRange,
    limits('{type: Pod, default: {cpu: 3}, defaultRequest: {cpu: 4}, max: {cpu: 1}}'),
    [
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
    ],
  ],
  [
    'claims',
    limitRange,
    limits('{type: PersistentVolumeClaim}'),
    ['spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided'],
  ],
  [
    'order',
    limitRange,
    limits(
      '{type: Container, min: {cpu: 3, memory: 2}, max: {cpu: 2, memory: 9}, default: {cpu: 1, memory: 1}, defaultRequest: {cpu: 2500m}}',
    ),
    [
      'spec.limits[0].min[cpu]: Invalid value: "3": min value 3 is greater than max value 2',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2500m": min value 3 is greater than default request value 2500m',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2500m": default request value 2500m is greater than max value 2',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2500m": default request value 2500m is greater than default limit value 1',
      'spec.limits[0].default[cpu]: Invalid value: "3": min value 3 is greater than default value 1',
      'spec.limits[0].defaultRequest[memory]: Invalid value: "1": min value 2 is greater than default request value 1',
      'spec.limits[0].default[memory]: Invalid value: "2": min value 2 is greater than default value 1',
    ],
  ],
  [
    'default above maximum',
    limitRange,
    limits('{type: Container, max: {cpu: 1}, default: {cpu: 2}, defaultRequest: {cpu: 1}}'),
    ['spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1'],
  ],
  [
    'ratios',
    limitRange,
    limits('{type: Pod, min: {cpu: 200m}, max: {cpu: 1}, maxLimitRequestRatio: {cpu: 6, memory: 500m}}'),
    [
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "6": ratio 6 is greater than max/min = 5.000000',
      'spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: "500m": ratio 500m is less than 1',
    ],
  ],
  ['any ratio to nothing', limitRange, limits('{type: Pod, min: {cpu: 0}, max: {cpu: 1}, maxLimitRequestRatio: {cpu: 6}}'), []],
  [
    'no overcommitment',
    limitRange,
    limits('{type: Container, default: {x.y/z: 2, hugepages-2Mi: 4Mi}, defaultRequest: {x.y/z: 1}}'),
    ['spec.limits[0].defaultRequest[x.y/z]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in x.y/z'],
  ],
  ['fine quota', resourceQuota, quota('hard: {pods: 3, requests.cpu: 1, count/jobs.batch: 2, requests.x.y/z: 1, hugepages-2Mi: 2Mi}'), []],
  [
    'quota resources',
    resourceQuota,
    quota('hard: {storage: 1, limits.storage: 1, pods: 1500m, cpu: -1}'),
    [
      'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
      `spec.hard[limits.storage]: Invalid value: "limits.storage": ${notStandard}`,
      'spec.hard[limits.storage]: Invalid value: "limits.storage": must be a standard resource for quota',
      'spec.hard[pods]: Invalid value: "1500m": must be an integer',
      'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  [
    'scopes',
    resourceQuota,
    quota('hard: {pods: 1, cpu: 1, secrets: 1, count/x: 1}, scopes: [BestEffort, Other, NotBestEffort]'),
    [
      'unsupported scope applied to resource',
      'unsupported scope applied to resource',
      'unsupported scope',
      'unsupported scope applied to resource',
      'conflicting scopes',
    ].map((text) => `spec.scopes: Invalid value: ["BestEffort","Other","NotBestEffort"]: ${text}`),
  ],
  [
    'scope selector',
    resourceQuota,
    quota(
      'hard: {secrets: 1}, scopeSelector: {matchExpressions: [{scopeName: Other, operator: In}, {scopeName: Terminating, operator: NotIn, values: [x]}, {scopeName: PriorityClass, operator: Exists, values: [x]}, {scopeName: VolumeAttributesClass, operator: Near}, {scopeName: NotTerminating, operator: Exists}]}',
    ),
    [
      'spec.scopeSelector.matchExpressions.scopeName: Invalid value: "Other": unsupported scope',
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      applied,
      'spec.scopeSelector.matchExpressions.operator: Invalid value: "NotIn": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
      applied,
      "spec.scopeSelector.matchExpressions.values: Invalid value: [\"x\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      applied,
      'spec.scopeSelector.matchExpressions.operator: Invalid value: "Near": not a valid selector operator',
      applied,
      'spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes',
    ],
  ],
])('create: %s', (_name, kind, yaml, expected) => {
  expect(createProblems(kind as KindDefinition<KubeObject>, yaml)).toEqual(expected);
});

test('scopes of a quota stay', () => {
  const yaml = quota('hard: {pods: 1}, scopes: [BestEffort, Terminating]');
  expect(updateProblems(resourceQuota, yaml, ({ spec }) => void (spec.scopes = ['Terminating', 'BestEffort']))).toEqual([]);
  expect(updateProblems(resourceQuota, yaml, ({ spec }) => void (spec.scopes = ['BestEffort']))).toEqual([
    'spec.scopes: Invalid value: ["BestEffort"]: field is immutable',
  ]);
});

test('the status of a quota is checked as its spec', () => {
  const change = { hard: { gold: '1' }, used: { pods: '-1' } };
  expect(updateProblems(resourceQuota, quota('hard: {}'), (object) => void (object.status = change), 'status')).toEqual([
    `status.hard[gold]: Invalid value: "gold": ${notStandard}`,
    'status.hard[gold]: Invalid value: "gold": must be a standard resource for quota',
    'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0',
  ]);
});

test('a quota shows what is used of what', () => {
  const object = decoded(
    resourceQuota,
    `${quota('hard: {}')}\nstatus: {hard: {requests.cpu: 2, pods: 9, limits.memory: 1Gi}, used: {requests.cpu: 500m, limits.memory: 0}}`,
  );
  expect(row(resourceQuota, object)).toMatchObject({ Request: 'pods: 0/9, requests.cpu: 500m/2', Limit: 'limits.memory: 0/1Gi' });
});
