import { describe, expect, test } from 'vitest';
import { builtinKinds } from '../../kinds.ts';
import type { KubeObject } from '../../meta/object.ts';
import { addAmounts, amountsText, equalAmounts, exceeding, subtractAmounts } from './amounts.ts';
import { type CountView, type Measure, measureOf, type Scope } from './measure.ts';

function measure(plural: string): Measure {
  const kind = builtinKinds.find(({ names }) => names.plural === plural);
  const found = kind && measureOf(kind);
  if (found === undefined) throw new Error(`${plural} are not counted`);
  return found;
}
/** Devices of the class `gpu` also serve `example.com/gpu`; there is one pod. */
const view: CountView = {
  nowMs: 0,
  extendedResourceOf: (className) => (className === 'gpu' ? 'example.com/gpu' : undefined),
  podOf: (_, name) => (name === 'asking' ? asking : undefined),
};
const asking = {
  metadata: { name: 'asking', uid: 'u' },
  spec: {
    initContainers: [{ name: 'i', resources: { requests: { 'deviceclass.resource.kubernetes.io/nic': '3' } } }],
    containers: [
      { name: 'a', resources: { requests: { 'example.com/gpu': '2', cpu: '1' } } },
      { name: 'b', resources: { requests: { 'deviceclass.resource.kubernetes.io/nic': '1' } } },
    ],
  },
};
const usage = (plural: string, object: object): string =>
  amountsText(measure(plural).usage({ metadata: {}, ...object } as KubeObject, view));

describe('usage', () => {
  const container = (requests: object, limits: object = {}): object => ({ name: 'c', resources: { requests, limits } });
  test.each<[string, string, object, string]>([
    [
      'a pod',
      'pods',
      {
        spec: {
          containers: [container({ cpu: '500m', memory: '1Gi' }, { cpu: '1', 'ephemeral-storage': '1Gi' }), container({ cpu: '1' })],
        },
      },
      'count/pods=1,cpu=1500m,limits.cpu=1,limits.ephemeral-storage=1Gi,memory=1Gi,pods=1,requests.cpu=1500m,requests.memory=1Gi',
    ],
    [
      'devices and huge pages',
      'pods',
      { spec: { containers: [container({ 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi' })] } },
      'count/pods=1,hugepages-2Mi=4Mi,pods=1,requests.example.com/gpu=2,requests.hugepages-2Mi=4Mi',
    ],
    [
      'devices asked for like amounts',
      'pods',
      { spec: { containers: [container({ 'deviceclass.resource.kubernetes.io/gpu': '2' })] } },
      'count/pods=1,pods=1,requests.deviceclass.resource.kubernetes.io/gpu=2',
    ],
    ['a finished pod', 'pods', { spec: { containers: [container({ cpu: '1' })] }, status: { phase: 'Succeeded' } }, 'count/pods=1'],
    [
      'a pod that should have gone',
      'pods',
      { metadata: { deletionTimestamp: '1969-12-31T23:59:00Z', deletionGracePeriodSeconds: 30 }, spec: { containers: [] } },
      'count/pods=1',
    ],
    [
      'a service',
      'services',
      { spec: { ports: [{ port: 1 }] } },
      'count/services=1,services=1,services.loadbalancers=0,services.nodeports=0',
    ],
    [
      'node ports',
      'services',
      { spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } },
      'count/services=1,services=1,services.loadbalancers=0,services.nodeports=2',
    ],
    [
      'a balanced service that wants no node ports but has one',
      'services',
      { spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1 }, { port: 2, nodePort: 30_000 }] } },
      'count/services=1,services=1,services.loadbalancers=1,services.nodeports=1',
    ],
    [
      'a claim of devices',
      'resourceclaims',
      {
        spec: {
          devices: {
            requests: [
              { exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
              {
                firstAvailable: [
                  { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
                  { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
                  { deviceClassName: 'nic', allocationMode: 'ExactCount', count: 1 },
                ],
              },
              { exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
            ],
          },
        },
      },
      'count/resourceclaims.resource.k8s.io=1,gpu.deviceclass.resource.k8s.io/devices=5,nic.deviceclass.resource.k8s.io/devices=33,' +
        'requests.deviceclass.resource.kubernetes.io/gpu=5,requests.deviceclass.resource.kubernetes.io/nic=33,requests.example.com/gpu=5',
    ],
    ['a claim of no devices', 'resourceclaims', { spec: {} }, 'count/resourceclaims.resource.k8s.io=1'],
    [
      'a claim of a class',
      'persistentvolumeclaims',
      { spec: { storageClassName: 'gold', resources: { requests: { storage: '1.5' } } } },
      'count/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/requests.storage=2,persistentvolumeclaims=1,requests.storage=2',
    ],
    [
      'a claim that has been given more',
      'persistentvolumeclaims',
      { spec: { resources: { requests: { storage: '1Gi' } } }, status: { allocatedResources: { storage: '3Gi' } } },
      'count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=3Gi',
    ],
    ['what has an old name', 'configmaps', {}, 'configmaps=1,count/configmaps=1'],
    ['what has none', 'deployments', {}, 'count/deployments.apps=1'],
  ])('%s', (_, plural, object, expected) => {
    expect(usage(plural, object)).toBe(expected);
  });

  test('events and what lies in no namespace are not counted', () => {
    for (const plural of ['events', 'nodes', 'namespaces']) {
      expect(builtinKinds.filter(({ names }) => names.plural === plural).map((kind) => measureOf(kind))).not.toContainEqual(
        expect.anything(),
      );
    }
  });

  test.each<[string, string, boolean]>([
    ['pods', 'count/pods', true],
    ['pods', 'limits.memory', true],
    ['pods', 'requests.example.com/gpu', true],
    ['pods', 'requests.storage', false],
    ['pods', 'requests.deviceclass.resource.kubernetes.io/gpu', true],
    ['pods', 'requests.kubernetes.io/gpu', false],
    ['pods', 'requests.hugepages-1Gi', true],
    ['persistentvolumeclaims', 'gold.storageclass.storage.k8s.io/requests.storage', true],
    ['persistentvolumeclaims', 'pods', false],
    ['services', 'services.nodeports', true],
    ['resourceclaims', 'gpu.deviceclass.resource.k8s.io/devices', true],
    ['resourceclaims', 'count/resourceclaims.resource.k8s.io', true],
    ['resourceclaims', 'gpu.deviceclass.resource.k8s.io/nodes', false],
    ['resourceclaims', 'requests.example.com/gpu', true],
    ['resourceclaims', 'requests.deviceclass.resource.kubernetes.io/gpu', true],
    ['resourceclaims', 'requests.storage', false],
    ['resourceclaims', 'example.com/gpu', false],
    ['deployments', 'count/deployments.apps', true],
    ['deployments', 'deployments', false],
  ])('%s count for %s: %s', (plural, resource, expected) => {
    expect(measure(plural).counts(resource)).toBe(expected);
  });
});

describe('a claim that the scheduler made for what a pod asks for like for amounts', () => {
  const request = (deviceClassName: string, count: number): object => ({
    exactly: { deviceClassName, allocationMode: 'ExactCount', count },
  });
  const requests = [request('gpu', 2), request('nic', 1), request('nic', 2)];
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'asking', uid: 'u', controller: true };
  const claim = (more: object): object => ({
    metadata: {
      namespace: 'n',
      name: 'made',
      annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
      ownerReferences: [owner],
      ...more,
    },
    spec: { devices: { requests } },
  });
  const devices =
    'count/resourceclaims.resource.k8s.io=1,gpu.deviceclass.resource.k8s.io/devices=2,nic.deviceclass.resource.k8s.io/devices=3';
  const twice =
    `${devices},requests.deviceclass.resource.kubernetes.io/gpu=2,` +
    'requests.deviceclass.resource.kubernetes.io/nic=3,requests.example.com/gpu=2';

  test('does not count again what the pod counts for', () => {
    // Of the class `gpu` the pod names the extended resource, of `nic` the class: one in a container, two more while it begins.
    expect(usage('resourceclaims', claim({}))).toBe(`${devices},requests.deviceclass.resource.kubernetes.io/gpu=2`);
  });

  test.each<[string, object]>([
    ['does not say so', { annotations: {} }],
    ['has no owner', { ownerReferences: [] }],
    ['is not controlled by it', { ownerReferences: [{ ...owner, controller: false }] }],
    ['names another pod', { ownerReferences: [{ ...owner, name: 'other' }] }],
    ['names a former pod', { ownerReferences: [{ ...owner, uid: 'v' }] }],
    ['names no pod', { ownerReferences: [{ ...owner, kind: 'Job' }] }],
  ])('unless it %s', (_, more) => {
    expect(usage('resourceclaims', claim(more))).toBe(twice);
  });
});

describe('scopes', () => {
  const pod = (spec: object): object => ({ spec: { containers: [{ name: 'c' }], ...spec } });
  const priority = (operator: string, values?: string[]): Scope => ({ scopeName: 'PriorityClass', operator, ...(values && { values }) });
  const exists = (scopeName: string): Scope => ({ scopeName, operator: 'Exists' });
  const term = { topologyKey: 'k', namespaces: ['other'] };
  test.each<[Scope, object, boolean]>([
    [exists('Terminating'), pod({ activeDeadlineSeconds: 0 }), true],
    [exists('Terminating'), pod({}), false],
    [exists('NotTerminating'), pod({}), true],
    [exists('BestEffort'), pod({}), true],
    [exists('NotBestEffort'), pod({ containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }), true],
    [exists('NotBestEffort'), pod({}), false],
    [priority('Exists'), pod({ priorityClassName: 'high' }), true],
    [priority('Exists'), pod({}), false],
    [priority('DoesNotExist'), pod({}), true],
    [priority('In', ['high']), pod({ priorityClassName: 'high' }), true],
    [priority('In', ['high']), pod({ priorityClassName: 'low' }), false],
    [priority('NotIn', ['high']), pod({ priorityClassName: 'low' }), true],
    [priority('NotIn', ['high']), pod({}), true],
    [exists('CrossNamespacePodAffinity'), pod({}), false],
    [
      exists('CrossNamespacePodAffinity'),
      pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
      true,
    ],
    [
      exists('CrossNamespacePodAffinity'),
      pod({
        affinity: {
          podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'k' } }] },
        },
      }),
      false,
    ],
    [exists('VolumeAttributesClass'), pod({}), false],
  ])('%j of %j: %s', (scope, object, expected) => {
    expect(measure('pods').isInScope(scope, object as KubeObject)).toBe(expected);
  });

  test.each<[string, string[] | undefined, object, boolean]>([
    ['Exists', undefined, { spec: { volumeAttributesClassName: 'fast' } }, true],
    ['In', ['fast'], { status: { currentVolumeAttributesClassName: 'fast' } }, true],
    ['In', ['fast'], { spec: { volumeAttributesClassName: 'slow' } }, false],
    ['NotIn', ['fast'], { status: { modifyVolumeStatus: { targetVolumeAttributesClassName: 'fast' } } }, false],
    ['DoesNotExist', undefined, {}, true],
  ])('VolumeAttributesClass %s %j of %j: %s', (operator, values, object, expected) => {
    const scope = { scopeName: 'VolumeAttributesClass', operator, ...(values && { values }) };
    expect(measure('persistentvolumeclaims').isInScope(scope, object as KubeObject)).toBe(expected);
  });
});

describe('what containers must say', () => {
  test.each<[string[], string | undefined]>([
    [['pods', 'requests.ephemeral-storage'], undefined],
    [['cpu', 'requests.cpu'], 'must specify cpu for: b,i; requests.cpu for: b,i'],
    [['limits.memory'], 'must specify limits.memory for: a,b,i'],
  ])('where %j are limited', (resources, expected) => {
    const spec = { containers: [{ name: 'b' }, { name: 'a', resources: { requests: { cpu: '1' } } }], initContainers: [{ name: 'i' }] };
    expect(measure('pods').missing?.(resources, { metadata: {}, spec } as unknown as KubeObject)).toBe(expected);
  });

  test.each<[object, string | undefined]>([
    [{ requests: { cpu: '1' } }, undefined],
    [{ limits: { 'hugepages-2Mi': '4Mi' } }, undefined],
    [{ requests: {} }, 'must specify limits.memory for: c'],
  ])('where the pod says %j as a whole', (resources, expected) => {
    const object = { metadata: {}, spec: { resources, containers: [{ name: 'c' }] } } as unknown as KubeObject;
    expect(measure('pods').missing?.(['limits.memory'], object)).toBe(expected);
  });
});

describe('while a pod is resized', () => {
  const resources = (cpu: string, limit = cpu): object => ({ requests: { cpu }, limits: { cpu: limit } });
  const resized = (wanted: string, status: object): object => ({
    spec: {
      containers: [{ name: 'c', resources: resources(wanted) }],
      initContainers: [
        { name: 's', restartPolicy: 'Always', resources: resources('1') },
        { name: 'i', resources: resources('1') },
      ],
    },
    status,
  });
  const conditions = (reason: string): object[] => [{ type: 'PodResizePending', status: 'True', reason }];
  const has = (cpu: string, more: object = {}): object => ({ name: 'c', resources: resources(cpu), ...more });

  test.each<[string, object, string]>([
    ['nothing is known yet', resized('2', { containerStatuses: [{ name: 'c' }] }), '3 3'],
    ['it still has more', resized('2', { containerStatuses: [has('4')] }), '5 5'],
    ['it has been promised more', resized('2', { containerStatuses: [has('1', { allocatedResources: { cpu: '3' } })] }), '4 3'],
    ['it waits for room', resized('4', { containerStatuses: [has('2')], conditions: conditions('Deferred') }), '5 5'],
    ['it will never fit', resized('4', { containerStatuses: [has('2')], conditions: conditions('Infeasible') }), '3 3'],
    [
      'sidecars have more, and what init containers had',
      resized('2', {
        initContainerStatuses: [
          { name: 's', resources: resources('3') },
          { name: 'i', resources: resources('9') },
        ],
      }),
      '5 5',
    ],
  ])('and %s, its larger end counts', (_, object, expected) => {
    const { 'requests.cpu': requests, 'limits.cpu': limits } = measure('pods').usage({ metadata: {}, ...object } as KubeObject, view);
    expect(`${requests} ${limits}`).toBe(expected);
  });
});

test('amounts are added, taken away and compared exactly', () => {
  expect(addAmounts({ cpu: '500m', pods: '1' }, { cpu: '600m', memory: '1Gi' })).toEqual({ cpu: '1100m', pods: '1', memory: '1Gi' });
  expect(subtractAmounts({ cpu: '500m' }, { cpu: '1', pods: '1' })).toEqual({ cpu: '0', pods: '0' });
  expect(exceeding({ cpu: '1100m', memory: '2Gi' }, { cpu: '1', pods: '1' })).toEqual(['cpu']);
  expect([equalAmounts({ cpu: '1' }, { cpu: '1000m' }), equalAmounts({ cpu: '1' }, { cpu: '1', pods: '0' })]).toEqual([true, false]);
});
