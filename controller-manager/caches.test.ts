import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { kindId } from '#client/cluster-cache.ts';
import { systemClock } from '#base/clock.ts';
import { aNode, aPod, ownedBy } from './builders.ts';
import { namespaceIfUncontrolled, nodeOf, serviceOf } from './cache-indexes.ts';
import { metadataOnly, slimConfigMap, slimNode, slimPod } from './cache-transforms.ts';
import { cachesFor } from './caches.ts';
import { buildControllers } from './controllers.ts';
import { isEvent, kindsWith } from './kinds.ts';

test('each kind is cached once, and events are not', () => {
  const cleanedUp = kindsWith('list', 'watch', 'delete', 'patch').filter((kind) => !isEvent(kind));
  const caches = cachesFor(buildControllers({ clock: systemClock }, cleanedUp), cleanedUp);
  const ids = caches.map(({ kind }) => kindId(kind));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain(kindId(endpointSlice));
  expect(ids.filter((id) => id.startsWith('events'))).toEqual([]);
});

test('of a pod is kept what loops read', () => {
  const whole: Pod = aPod({ ip: '10.0.0.1', readySeconds: 1, spec: { terminationGracePeriodSeconds: 30, hostname: 'a' } });
  const [container] = whole.spec.containers;
  const spec = {
    ...whole.spec,
    activeDeadlineSeconds: 9,
    containers: [{ ...container, name: 'web', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80 }] }],
    initContainers: [{ name: 'side', restartPolicy: 'Always', image: 'side' }],
  };
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', own: '1' };
  const slim = slimPod({ ...whole, metadata: { ...whole.metadata, annotations, managedFields: [{}] }, spec });
  expect(slim.metadata).toEqual({ ...whole.metadata, annotations: { own: '1' } });
  expect(slim.spec).toEqual({
    nodeName: 'n1',
    hostname: 'a',
    activeDeadlineSeconds: 9,
    containers: [{ name: 'web', ports: [{ containerPort: 80 }] }],
    initContainers: [{ name: 'side', restartPolicy: 'Always' }],
  });
  expect(slim.status).toEqual({ ...whole.status, containerStatuses: [{ name: 'web', restartCount: 0 }] });
});

test('of other objects too', () => {
  const node = aNode({ Ready: 'True' }, { spec: { podCIDR: '10.244.0.0/24' } });
  const amounts = { allocatable: { cpu: '2', memory: '1Gi' }, capacity: { cpu: '4' } };
  expect(slimNode({ ...node, status: { ...node.status, ...amounts, images: [{ names: ['a'] }] } })).toEqual({
    ...node,
    status: { ...node.status, allocatable: { cpu: '2' } },
  });
  const metadata = { name: 'a', uid: 'u', labels: { b: 'c' }, finalizers: ['f'] };
  expect(metadataOnly({ apiVersion: 'v1', kind: 'Secret', metadata })).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', uid: 'u', finalizers: ['f'] },
  });
  expect(slimConfigMap({ metadata: { name: 'a' }, data: { b: 'c' } })).toEqual({ metadata: { name: 'a' } });
  const published = { metadata: { name: 'kube-root-ca.crt' }, data: { b: 'c' } };
  expect(slimConfigMap(published)).toEqual(published);
});

test('where objects are found', () => {
  expect(nodeOf(aPod())).toEqual(['n1']);
  expect(nodeOf(aPod({ node: '' }))).toEqual([]);
  expect(namespaceIfUncontrolled(aPod())).toEqual(['default']);
  expect(namespaceIfUncontrolled(aPod({ owner: ownedBy('set') }))).toEqual([]);
  const labels = { 'kubernetes.io/service-name': 'web' };
  expect(serviceOf({ metadata: { namespace: 'a', labels }, addressType: 'IPv4' } as never)).toEqual(['a/web']);
  expect(serviceOf({ metadata: { namespace: 'a' }, addressType: 'IPv4' } as never)).toEqual([]);
});
