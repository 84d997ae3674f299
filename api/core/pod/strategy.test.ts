import { expect, test } from 'vitest';
import { decoded, updateProblems } from '../../testing.ts';
import { type Pod, pod } from './pod.ts';
import { podLimits, podRequests } from './pod-resources.ts';

/** A pod with these members of its spec beside one container. */
function aPod(spec = '', resources = '{}'): string {
  return `metadata: {name: web, namespace: a, labels: {app: web}}\nspec: {${spec}${spec === '' ? '' : ','} containers: [{name: c, image: i, resources: ${resources}}]}\nstatus: {phase: Running}`;
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

test.each<[string, string, string, (object: Pod) => void, string[]]>([
  ['more CPU', '{requests: {cpu: 1}}', 'resize', ({ spec }) => void (spec.containers[0]!.resources = { requests: { cpu: '2' } }), []],
  [
    'another class',
    '{requests: {cpu: 1}}',
    'resize',
    ({ spec }) => void (spec.containers[0]!.resources = {}),
    ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
  ],
  [
    'other resources',
    '{requests: {cpu: 1}}',
    'resize',
    ({ spec }) => void (spec.containers[0]!.resources = { requests: { cpu: '1', 'ephemeral-storage': '1' } }),
    ['spec.containers[0].resources.requests: Forbidden: only cpu and memory resources are mutable'],
  ],
  ['everything else stays', '{requests: {cpu: 1}}', 'resize', (object) => void (object.spec.nodeName = 'n1'), []],
])('resize: %s', (_name, resources, subresource, change, expected) => {
  expect(updateProblems(pod, aPod('', resources), change, subresource)).toEqual(expected);
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
