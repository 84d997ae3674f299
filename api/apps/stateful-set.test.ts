import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type StatefulSet, statefulSet } from './stateful-set.ts';

const selector = 'selector: {matchLabels: {app: db}}';
/** A StatefulSet with these members of its spec. */
function aStatefulSet({ spec = selector, pod = 'containers: [{name: c, image: "i:1"}]', name = 'db' } = {}): string {
  return `metadata: {name: ${name}, namespace: a}\nspec: {${spec}, template: {metadata: {labels: {app: db}}, spec: {${pod}}}}`;
}
const withClaim = `${selector}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1.5}}}}]`;
const mount = 'containers: [{name: c, image: "i:1", volumeMounts: [{name: data, mountPath: /data}]}]';

test('defaults', () => {
  const { template: _template, ...spec } = decoded(statefulSet, aStatefulSet()).spec;
  expect(spec).toEqual({
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'db' } },
    serviceName: '',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  });
  expect(decoded(statefulSet, aStatefulSet({ spec: `${selector}, updateStrategy: {type: OnDelete}` })).spec.updateStrategy).toEqual({
    type: 'OnDelete',
  });
  expect(decoded(statefulSet, aStatefulSet({ spec: withClaim })).spec.volumeClaimTemplates).toEqual([
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } }, volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    },
  ]);
});

test.each<[string, string, string[]]>([
  ['fine', aStatefulSet(), []],
  ['a mounted claim', aStatefulSet({ spec: withClaim, pod: mount }), []],
  ['a mount of nothing', aStatefulSet({ pod: mount }), ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"']],
  [
    'a claim for nothing',
    aStatefulSet({ spec: `${selector}, volumeClaimTemplates: [{metadata: {name: data}}]` }),
    [
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
      'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
    ],
  ],
  ['name', aStatefulSet({ name: 'a.b' }), ['metadata.name: Invalid value: "a.b": must not contain dots']],
  [
    'service name',
    aStatefulSet({ spec: `${selector}, serviceName: Not_A_Label` }),
    [
      "spec.serviceName: Invalid value: \"Not_A_Label\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  [
    'no selector',
    aStatefulSet({ spec: 'replicas: -1' }),
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"app":"db"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'empty selector',
    aStatefulSet({ spec: 'selector: {}' }),
    ['spec.selector: Invalid value: {}: empty selector is invalid for statefulset'],
  ],
  [
    'policies',
    aStatefulSet({
      spec: `${selector}, podManagementPolicy: Random, persistentVolumeClaimRetentionPolicy: {whenDeleted: Keep}, minReadySeconds: -1, ordinals: {start: -1}`,
    }),
    [
      "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'strategy',
    aStatefulSet({ spec: `${selector}, updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}` }),
    [
      'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
    ],
  ],
  [
    'other strategy',
    aStatefulSet({ spec: `${selector}, updateStrategy: {type: Recreate}` }),
    ['spec.updateStrategy: Invalid value: {"Type":"Recreate","RollingUpdate":null}: must be \'RollingUpdate\' or \'OnDelete\''],
  ],
  [
    'rolling update',
    aStatefulSet({ spec: `${selector}, updateStrategy: {rollingUpdate: {partition: -1, maxUnavailable: 0%}}` }),
    ['spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'pods that end',
    aStatefulSet({ pod: 'containers: [{name: c, image: "i:1"}], restartPolicy: Never, activeDeadlineSeconds: 3' }),
    [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(statefulSet, yaml)).toEqual(expected);
});

const fixed =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

test.each<[string, (object: StatefulSet) => void, string[]]>([
  [
    'what may change',
    ({ spec }) => {
      Object.assign(spec, { replicas: 3, ordinals: { start: 2 }, minReadySeconds: 1, revisionHistoryLimit: 2 });
      spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
      spec.updateStrategy = { type: 'OnDelete' };
      spec.template.metadata = { labels: { app: 'db', b: 'c' } };
    },
    [],
  ],
  ['service', ({ spec }) => void (spec.serviceName = 'other'), [fixed]],
  ['pod management', ({ spec }) => void (spec.podManagementPolicy = 'Parallel'), [fixed]],
  [
    'new template',
    ({ spec }) => void (spec.template.spec = { ...spec.template.spec, containers: [] }),
    ['spec.template.spec.containers: Required value'],
  ],
])('update: %s', (_name, change, expected) => {
  expect(updateProblems(statefulSet, aStatefulSet(), change)).toEqual(expected);
});

test('a template that was wrong before does not stop other changes', () => {
  const yaml = aStatefulSet({ pod: 'containers: []' });
  expect(updateProblems(statefulSet, yaml, ({ spec }) => void (spec.replicas = 3))).toEqual([]);
});

test('status counts', () => {
  const change = (object: StatefulSet): void =>
    void (object.status = { replicas: 1, readyReplicas: 1, availableReplicas: 2, currentReplicas: -1, observedGeneration: -1 });
  expect(updateProblems(statefulSet, aStatefulSet(), change, 'status')).toEqual([
    'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
    'status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.observedGeneration: Invalid value: -1: must be greater than or equal to 0',
    'status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas',
  ]);
});

test('how many pods may be unavailable is dropped where it is new, and judged where it was', () => {
  const spec = `${selector}, updateStrategy: {rollingUpdate: {maxUnavailable: 2}}`;
  const made = decoded(statefulSet, aStatefulSet({ spec }));
  statefulSet.prepareCreate?.(made, { verb: 'create', subresource: '', nowMs: 0 });
  expect(made.spec.updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } });

  const context = { verb: 'update', subresource: '', nowMs: 0 } as const;
  const old = decoded(statefulSet, aStatefulSet({ spec }));
  const update = (prev: StatefulSet, maxUnavailable: number | string): unknown[] => {
    const next = structuredClone(prev);
    next.spec.updateStrategy!.rollingUpdate!.maxUnavailable = maxUnavailable;
    statefulSet.prepareUpdate?.(next, prev, context);
    const problems = statefulSet.validateUpdate?.(next, prev, context) ?? [];
    return [next.spec.updateStrategy?.rollingUpdate?.maxUnavailable, ...problems.map(({ field, message }) => `${field}: ${message}`)];
  };
  const field = 'spec.updateStrategy.rollingUpdate.maxUnavailable';
  expect(update(made, 3)).toEqual([undefined]);
  expect(update(old, 3)).toEqual([3]);
  expect(update(old, '0%')).toEqual(['0%', `${field}: Invalid value: "0%": cannot be 0`]);
  expect(update(old, '101%')).toEqual(['101%', `${field}: Invalid value: "101%": must not be greater than 100%`]);
});

test('warnings', () => {
  const object = decoded(statefulSet, aStatefulSet({ spec: `${withClaim}, revisionHistoryLimit: -1` }));
  const negative = 'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';
  expect(statefulSet.warnings?.(object, undefined)).toEqual([
    'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    negative,
  ]);
  expect(statefulSet.warnings?.(object, object)).toEqual([negative]);
});

test('columns', () => {
  const object = decoded(statefulSet, `${aStatefulSet()}\nstatus: {replicas: 1, readyReplicas: 1}`);
  expect(row(statefulSet, object)).toEqual({ Name: 'db', Ready: '1/1', Age: '<unknown>', Containers: 'c', Images: 'i:1' });
});
