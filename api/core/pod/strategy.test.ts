import { expect, test } from 'vitest';
import { decoded, updateProblems } from '../../testing.ts';
import { type Pod, pod } from './pod.ts';
import { podLimits, podRequests } from './pod-resources.ts';

/** A pod with these members of its spec beside one container. */
function aPod(spec = '', resources = '{}'): string {
  return `metadata: {name: web, namespace: a, labels: {app: web}}\nspec: {${spec}${spec === '' ? '' : ','} containers: [{name: c, image: i, resources: ${resources}}]}\nstatus: {phase: Running}`;
}

/** A pod that only shows what a node runs by itself. */
function makeStatic({ metadata, spec }: Pod): void {
  metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
  spec.nodeName = 'n1';
}

function prepared(yaml: string): Pod {
  const object = decoded(pod, yaml);
  pod.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  return object;
}

test('a new pod is pending, and waits where it is gated', () => {
  expect(prepared(aPod()).status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  expect(prepared(aPod('schedulingGates: [{name: a/b}]')).status?.conditions).toEqual([
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ]);
});

test('label keys become part of selectors', () => {
  const { spec } = prepared(
    aPod(
      'topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}, matchLabelKeys: [app, none]}]',
    ),
  );
  expect(spec.topologySpreadConstraints?.[0]?.labelSelector).toEqual({
    matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }],
  });
});

const sized = '{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2}}';
const inited = 'initContainers: [{name: i, image: i, resources: {requests: {cpu: 1}}}]';
const sized2 = { requests: { cpu: '3', memory: '2Gi' }, limits: { cpu: '4', memory: '4Gi' } };
const immutable = 'spec: Forbidden: only cpu and memory resources are mutable';

test.each<[string, string, (object: Pod) => void, string[]]>([
  ['other amounts', '', ({ spec }) => void (spec.containers[0]!.resources = sized2), []],
  [
    'less memory',
    '',
    ({ spec }) => void (spec.containers[0]!.resources = { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '2' } }),
    [],
  ],
  [
    'nothing',
    '',
    ({ spec }) => void (spec.containers[0]!.resources = {}),
    [
      'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
    ],
  ],
  [
    'other resources',
    '',
    ({ spec }) =>
      void (spec.containers[0]!.resources = { requests: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1' }, limits: { cpu: '2' } }),
    [immutable],
  ],
  ['everything else stays', '', (object) => void Object.assign(object.spec, { nodeName: 'n1', activeDeadlineSeconds: 3 }), []],
  [
    'how it is resized',
    '',
    ({ spec }) => void (spec.containers[0]!.resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]),
    [immutable],
  ],
  [
    'other containers',
    '',
    ({ spec }) => void spec.containers.push({ name: 'd', image: 'i', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' }),
    ['spec.containers: Forbidden: containers may not be added or removed on resize'],
  ],
  [
    'other names',
    '',
    ({ spec }) => void (spec.containers[0]!.name = 'd'),
    ['spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
  ],
  ['an init container', inited, ({ spec }) => void (spec.initContainers![0]!.resources = { requests: { cpu: '2' } }), []],
  [
    'what an init container cannot',
    inited.replace('image: i,', 'image: i, resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}],'),
    ({ spec }) => void (spec.initContainers![0]!.resources = { requests: { cpu: '2', 'ephemeral-storage': '1' } }),
    [
      'spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable',
      'spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
    ],
  ],
  [
    'the whole pod',
    'resources: {requests: {cpu: 2}}',
    ({ spec }) => void (spec.resources = { requests: { cpu: '3', memory: '1Gi' }, limits: { memory: '3Gi' } }),
    [],
  ],
  [
    'the whole pod to nothing',
    'resources: {requests: {cpu: 2}, limits: {cpu: 5}}',
    ({ spec }) => void (spec.resources = { requests: { memory: '2Gi' } }),
    [
      'spec.resources.requests: Forbidden: pod-level resource requests cannot be removed',
      'spec.resources.limits: Forbidden: pod-level resource limits cannot be removed',
    ],
  ],
  [
    'the whole pod away',
    'resources: {requests: {cpu: 2}}',
    ({ spec }) => void delete spec.resources,
    ['spec.resources: Forbidden: pod-level resources cannot be removed'],
  ],
  [
    'on Windows',
    'os: {name: windows}',
    ({ spec }) => void (spec.containers[0]!.resources = sized2),
    ['[]: Forbidden: windows pods cannot be resized'],
  ],
])('resize: %s', (_name, spec, change, expected) => {
  expect(updateProblems(pod, aPod(spec, sized), change, 'resize')).toEqual(expected);
});

test.each<[string, (object: Pod) => void, string[]]>([
  ['static', makeStatic, ['[]']],
  [
    'on an old node',
    (object) =>
      void (object.status = {
        containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } }],
      }),
    ['spec'],
  ],
  [
    'of claims',
    (object) => void (object.status = { nodeAllocatableResourceClaimStatuses: [{ resourceClaimName: 'x' } as never] }),
    ['spec'],
  ],
])('a pod that is %s is not resized', (_name, make, fields) => {
  const prev = prepared(aPod('', sized));
  make(prev);
  const next = structuredClone(prev);
  next.spec.containers[0]!.resources = sized2;
  const problems = pod.validateUpdate?.(next, prev, { verb: 'update', subresource: 'resize', nowMs: 0 });
  expect(problems?.map(({ field }) => field)).toEqual(fields);
});

test('static pods get no ephemeral containers', () => {
  const prev = prepared(aPod());
  makeStatic(prev);
  expect(pod.validateUpdate?.(prev, prev, { verb: 'update', subresource: 'ephemeralcontainers', nowMs: 0 })).toMatchObject([
    { field: '[]', message: 'Forbidden: static pods do not support ephemeral containers' },
  ]);
});

test('a status write keeps owners and what old kubelets drop', () => {
  const prev = prepared(aPod());
  prev.metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u' }];
  prev.status = { ...prev.status, observedGeneration: 3 };
  const next = structuredClone(prev);
  delete next.metadata.ownerReferences;
  next.status = { phase: 'Running' };
  pod.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 });
  expect(next.metadata.ownerReferences).toHaveLength(1);
  expect(next.status).toEqual({ phase: 'Running', qosClass: 'BestEffort', observedGeneration: 3 });
});

const init =
  'initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 1}}}, {name: b, image: i, resources: {requests: {cpu: 3, memory: 1Gi}}}]';

test.each([
  ['sum', '', '{requests: {cpu: 500m, memory: 1Gi}}', { cpu: '500m', memory: '1Gi' }],
  ['init containers count at their peak', init, '{requests: {cpu: 500m}}', { cpu: '4', memory: '1Gi' }],
  ['sidecars run on', init, '{requests: {cpu: 5}}', { cpu: '6', memory: '1Gi' }],
  ['overhead', 'overhead: {cpu: 250m}', '{requests: {cpu: 500m}}', { cpu: '750m' }],
  ['pod level', 'resources: {requests: {cpu: 7}}', '{requests: {cpu: 500m, memory: 1Gi}}', { cpu: '7', memory: '1Gi' }],
])('requests: %s', (_name, spec, resources, expected) => {
  expect(podRequests(decoded(pod, aPod(spec, resources)).spec)).toEqual(expected);
});

test('limits of a pod without limits are none, overhead or not', () => {
  expect(podLimits(decoded(pod, aPod('overhead: {cpu: 250m}')).spec)).toEqual({});
});

test('a status says of claims for the resources of the node only what it said before', () => {
  const prev = decoded(pod, 'metadata: {name: a}\nspec: {containers: [{name: c, image: i}]}');
  const next = structuredClone(prev);
  const said = [{ resourceClaimName: 'g', containers: ['c'], resources: { cpu: '1' } }];
  next.status = { nodeAllocatableResourceClaimStatuses: said };
  pod.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 });
  expect(next.status.nodeAllocatableResourceClaimStatuses).toBeUndefined();
  prev.status = { nodeAllocatableResourceClaimStatuses: said };
  next.status = { nodeAllocatableResourceClaimStatuses: said };
  pod.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 });
  expect(next.status.nodeAllocatableResourceClaimStatuses).toEqual(said);
});
