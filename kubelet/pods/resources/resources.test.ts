import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { containerResources, cpuQuotaMicros, cpuShares } from './container-resources.ts';
import { cpuRequestMillis, placeOf, podCgroup, podSum } from './pod-cgroup.ts';
import { qosClass } from './qos.ts';

type Amounts = Record<string, string>;
const aContainer = (requests: Amounts = {}, limits: Amounts = {}, name = 'c'): V1Container => ({ name, resources: { requests, limits } });
const aPod = (containers: V1Container[], spec: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers, ...spec },
});
const both = { cpu: '1', memory: '1Gi' };
const node = { memoryBytes: 8 * 2 ** 30 };

describe('qosClass', () => {
  test.each<[expected: string, name: string, containers: V1Container[]]>([
    ['BestEffort', 'nothing asked', [aContainer()]],
    ['BestEffort', 'zero asked', [aContainer({ cpu: '0' })]],
    ['Guaranteed', 'equal', [aContainer(both, both)]],
    ['Guaranteed', 'equal in other words', [aContainer({ cpu: '1000m', memory: '1024Mi' }, both)]],
    ['Guaranteed', 'limits alone', [aContainer({}, both)]],
    ['Burstable', 'one without', [aContainer(both, both), aContainer({}, {}, 'd')]],
    ['Burstable', 'no memory', [aContainer({ cpu: '1' }, { cpu: '1' })]],
    ['Burstable', 'less asked than allowed', [aContainer({ cpu: '500m', memory: '1Gi' }, both)]],
  ])('%s: %s', (expected, _, containers) => expect(qosClass(aPod(containers))).toBe(expected));

  test('what the status says stands', () => {
    expect(qosClass({ ...aPod([aContainer()]), status: { qosClass: 'Burstable' } })).toBe('Burstable');
  });
});

test.each([
  [0, 2],
  [1, 2],
  [100, 102],
  [1_000, 1_024],
  [2_000_000, 262_144],
])('%i m is %i shares', (millis, shares) => expect(cpuShares(millis)).toBe(shares));

test.each([
  [5, 1_000],
  [100, 10_000],
  [2_500, 250_000],
])('%i m is a quota of %i', (millis, quota) => expect(cpuQuotaMicros(millis)).toBe(quota));

describe('containerResources', () => {
  test('Guaranteed', () => {
    const container = aContainer(both, both);
    expect(containerResources(aPod([container]), container, node)).toEqual({
      cpuShares: 1_024,
      cpuPeriodMicros: 100_000,
      cpuQuotaMicros: 100_000,
      memoryBytes: 2 ** 30,
      oomScoreAdj: -997,
    });
  });
  test('BestEffort', () => {
    expect(containerResources(aPod([aContainer()]), aContainer(), node)).toEqual({ cpuShares: 2, oomScoreAdj: 1_000 });
  });
  test.each<[name: string, container: V1Container, expected: object]>([
    ['has none of its own', aContainer(), { cpuShares: 4_096, cpuQuotaMicros: 400_000, memoryBytes: 2 ** 32 }],
    ['asks for less', aContainer({ cpu: '1' }), { cpuShares: 1_024, cpuQuotaMicros: 400_000, memoryBytes: 2 ** 32 }],
    ['has its own', aContainer({}, both), { cpuShares: 1_024, cpuQuotaMicros: 100_000, memoryBytes: 2 ** 30 }],
    ['asks for nothing', aContainer({ cpu: '0' }, both), { cpuShares: 2, cpuQuotaMicros: 100_000 }],
  ])('the limits of the pod as a whole hold for a container that %s', (_, container, expected) => {
    const pod = aPod([container], { resources: { limits: { cpu: '4', memory: '4Gi' } } });
    expect(containerResources(pod, container, node)).toMatchObject(expected);
  });
  test.each([
    ['1Gi', 875],
    ['8Gi', 3],
    ['1', 999],
  ])('Burstable asking %s has the score %i', (memory, score) => {
    const container = aContainer({ memory });
    expect(containerResources(aPod([container]), container, node).oomScoreAdj).toBe(score);
  });
  test.each<[string, object, number]>([
    ['node-critical pods go last', { priority: 2_000_001_000, priorityClassName: 'system-node-critical' }, -997],
    [
      'cluster-critical ones go as others: they can run elsewhere',
      { priority: 2_000_000_000, priorityClassName: 'system-cluster-critical' },
      1_000,
    ],
    ['a class of the same name is not enough', { priority: 5, priorityClassName: 'system-node-critical' }, 1_000],
  ])('%s', (_, spec, score) => {
    expect(containerResources(aPod([aContainer()], spec), aContainer(), node).oomScoreAdj).toBe(score);
  });
  test('what only the pod asks for is shared among its containers', () => {
    const [first, second] = [aContainer({ memory: '1Gi' }), aContainer()];
    const pod = aPod([first, second], { resources: { requests: { memory: '3Gi' } } });
    expect([first, second].map((one) => containerResources(pod, one, node).oomScoreAdj)).toEqual([750, 875]);
  });
  test('a sidecar goes no sooner than the container that asks for least', () => {
    const sidecar = { ...aContainer(), name: 'sidecar', restartPolicy: 'Always' };
    const pod = aPod([aContainer({ memory: '2Gi' }), aContainer({ memory: '1Gi' })], { initContainers: [sidecar] });
    expect(containerResources(pod, sidecar, node).oomScoreAdj).toBe(875);
  });
});

describe('podCgroup', () => {
  test('Guaranteed', () => {
    expect(podCgroup(aPod([aContainer(both, both), aContainer(both, both, 'd')]), '/')).toEqual({
      path: '/kubepods/podu',
      parent: '/kubepods/podu',
      qos: 'Guaranteed',
      cpuShares: 2_048,
      cpuQuotaMicros: 200_000,
      memoryBytes: 2 ** 31,
    });
  });
  test('what its runtime class costs comes on top', () => {
    const overhead = { cpu: '500m', memory: '1Gi' };
    expect(podCgroup(aPod([aContainer(both, both)], { overhead }), '/')).toMatchObject({
      cpuShares: 1_536,
      cpuQuotaMicros: 150_000,
      memoryBytes: 2 ** 31,
    });
    const resources = { limits: { memory: '2Gi' } };
    expect(podCgroup(aPod([aContainer()], { overhead, resources }), '/')).toMatchObject({
      memoryBytes: 3 * 2 ** 30,
      cpuQuotaMicros: undefined,
    });
  });
  test.each<[name: string, resources: object, expected: object]>([
    ['no limit', { requests: { cpu: '2' } }, { cpuShares: 2_048, cpuQuotaMicros: undefined, memoryBytes: undefined }],
    ['both', { requests: both, limits: { cpu: '4', memory: '4Gi' } }, { cpuShares: 1_024, cpuQuotaMicros: 400_000, memoryBytes: 2 ** 32 }],
    ['no CPUs', { requests: { memory: '1Gi' } }, { cpuShares: 102, cpuQuotaMicros: undefined, memoryBytes: undefined }],
  ])('what the pod asks for as a whole is what counts: %s', (_, resources, expected) => {
    expect(podCgroup(aPod([aContainer({ cpu: '100m' })], { resources }), '/')).toMatchObject(expected);
  });
  test('what Burstable pods weigh together is what each asks for, as a whole where it says so, with what its runtime class costs', () => {
    const containers = [aContainer({ cpu: '100m' }), aContainer({ cpu: '50m' })];
    expect(cpuRequestMillis(aPod(containers, { overhead: { cpu: '10m' } }))).toBe(160);
    expect(cpuRequestMillis(aPod(containers, { overhead: { cpu: '10m' }, resources: { requests: { cpu: '2' } } }))).toBe(2_010);
  });
  test('one container without a limit lifts it', () => {
    expect(podCgroup(aPod([aContainer(both, both), aContainer({}, {}, 'd')]), '/box')).toMatchObject({
      path: '/box/kubepods/burstable/podu',
      cpuQuotaMicros: undefined,
      memoryBytes: undefined,
    });
  });
  test.each([
    ['/', 'kubepods-besteffort-podu.slice', '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podu.slice'],
    [
      '/my-box/',
      'my_box-kubepods-besteffort-podu.slice',
      expect.stringMatching(/^\/my_box.slice\/my_box-kubepods.slice\/my_box-kubepods-best/),
    ],
  ])('under systemd, and --cgroup-root %s, it is the slice %s', (root, parent, path) => {
    expect(podCgroup(aPod([aContainer()]), root, 'systemd')).toMatchObject({ parent, path });
  });
  test('a uid’s hyphens do not make slices', () => {
    expect(placeOf('/kubepods/pod3f9a-71', 'systemd').parent).toBe('kubepods-pod3f9a_71.slice');
  });
  test('BestEffort', () => expect(podCgroup(aPod([aContainer()]), '/')).toMatchObject({ path: '/kubepods/besteffort/podu', cpuShares: 2 }));
});

test('podSum counts init containers beside the sidecars before them', () => {
  const init = (value: string, sidecar = false): V1Container => ({
    ...aContainer({ cpu: value }, {}, `i${value}${sidecar}`),
    ...(sidecar ? { restartPolicy: 'Always' } : {}),
  });
  const sum = (initContainers: V1Container[]): number =>
    podSum(aPod([aContainer({ cpu: '2' })], { initContainers }), ({ resources }) => Number(resources?.requests?.['cpu'] ?? 0));
  expect(sum([])).toBe(2);
  expect(sum([init('5')])).toBe(5);
  expect(sum([init('1', true), init('5')])).toBe(6);
  expect(sum([init('5'), init('1', true)])).toBe(5);
  expect(sum([init('1', true), init('1', true)])).toBe(4);
});
