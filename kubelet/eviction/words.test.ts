import { describe, expect, test } from 'vitest';
import { isCriticalPod } from '#api/core/pod/critical.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { judgePressureAdmission } from './admission.ts';
import { evictionWords } from './messages.ts';
import type { Observation, PressureCondition, Signal, StarvedResource } from './signals.ts';
import { hasStorageLimit, storageExcess } from './storage-limits.ts';
import { parseThresholds } from './thresholds.ts';
import type { PodUse } from './usage.ts';

const mebibytes = 2 ** 20;
const due = parseThresholds({
  hard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'pid.available': '1000' },
  soft: {},
  softGracePeriods: {},
  minimumReclaim: {},
  enforcesAllocatable: false,
});
const observations = new Map<Signal, Observation>([
  ['memory.available', { available: 95_123 * 1_024, capacity: 2 ** 30 }],
  ['nodefs.available', { available: 2 ** 20, capacity: 100 * mebibytes }],
  ['pid.available', { available: 900, capacity: 32_768 }],
]);
const aPod = (containers: V1Container[], rest: Partial<Pod['spec']> = {}, annotations = {}): Pod => ({
  metadata: { name: 'p', annotations },
  spec: { containers, ...rest },
});
const asking = (name: string, requests: Record<string, string>): V1Container => ({ name, resources: { requests } });

describe('evictionWords', () => {
  test.each<[StarvedResource, Pod, PodUse | undefined, string, object]>([
    [
      'memory',
      aPod([asking('hungry', { memory: '1Mi' }), asking('modest', { memory: '8Mi' })]),
      {
        containers: [
          { name: 'hungry', memoryBytes: 3 * mebibytes },
          { name: 'modest', memoryBytes: 2 * mebibytes },
        ],
        volumes: [],
      },
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 95123Ki. Container hungry was using 3Mi, request is 1Mi, has larger consumption of memory. ',
      { offending_containers: 'hungry', offending_containers_usage: '3Mi', starved_resource: 'memory' },
    ],
    [
      'memory',
      aPod([asking('c', {})], { resources: { requests: { memory: '2Mi' } } }),
      { containers: [{ name: 'c', memoryBytes: 5 * mebibytes }], volumes: [] },
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 95123Ki. Pod p was using 5Mi, request is 2Mi, has larger consumption of memory. Container c was using 5Mi, request is 0, has larger consumption of memory. ',
      {
        offending_pod: 'p',
        offending_pod_usage: '5Mi',
        offending_containers: 'c',
        offending_containers_usage: '5Mi',
        starved_resource: 'memory',
      },
    ],
    [
      'ephemeral-storage',
      aPod([asking('c', {})]),
      { containers: [{ name: 'c', rootfs: { usedBytes: 4_096, inodes: 1 }, logs: { usedBytes: 1_000, inodes: 1 } }], volumes: [] },
      'The node was low on resource: ephemeral-storage. Threshold quantity: 10Mi, available: 1Mi. Container c was using 5096, request is 0, has larger consumption of ephemeral-storage. ',
      { offending_containers: 'c', offending_containers_usage: '5096', starved_resource: 'ephemeral-storage' },
    ],
    [
      'pids',
      aPod([asking('c', {})]),
      { containers: [{ name: 'c', processes: 70 }], volumes: [] },
      'The node was low on resource: pids. Threshold quantity: 1k, available: 900. ',
      { offending_containers: '', offending_containers_usage: '', starved_resource: 'pids' },
    ],
    ['inodes', aPod([]), undefined, 'The node was low on resource: inodes. ', {}],
  ])('%s', (resource, pod, use, message, annotations) => {
    expect(evictionWords(resource, pod, use, due, observations)).toEqual({ message, annotations });
  });
});

describe('limits of what a pod writes', () => {
  const limited = (name: string, limit?: string): V1Container => ({
    name,
    resources: limit === undefined ? {} : { limits: { 'ephemeral-storage': limit } },
  });
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '10Mi' } }];
  const of = (rootfs: number, logs: number, volume = 0, name = 'c'): PodUse => ({
    containers: [{ name, rootfs: { usedBytes: rootfs, inodes: 1 }, logs: { usedBytes: logs, inodes: 1 } }],
    volumes: [{ name: 'cache', usedBytes: volume, inodes: 1 }],
  });
  test.each<[string, Pod, PodUse, hasImageDisk: boolean, string | undefined]>([
    [
      'a volume',
      aPod([limited('c')], { volumes }),
      of(0, 0, 10 * mebibytes + 1),
      false,
      'Usage of EmptyDir volume "cache" exceeds the limit "10Mi". ',
    ],
    ['a volume that is just full', aPod([limited('c')], { volumes }), of(0, 0, 10 * mebibytes), false, undefined],
    [
      'a container',
      aPod([limited('c', '5Mi'), limited('d', '50Mi')]),
      of(4 * mebibytes, 2 * mebibytes),
      false,
      'Container c exceeded its local ephemeral storage limit "5Mi". ',
    ],
    ['a container of a node with a disk for images', aPod([limited('c', '5Mi')]), of(9 * mebibytes, mebibytes), true, undefined],
    [
      'a pod',
      aPod([limited('c', '5Mi'), limited('d', '5Mi')]),
      of(4 * mebibytes, 0, 7 * mebibytes),
      false,
      'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
    ],
    ['a pod without limits', aPod([limited('c')]), of(900 * mebibytes, 0), false, undefined],
    [
      'a container without one beside one with it',
      aPod([limited('c', '5Mi'), limited('d')]),
      of(4 * mebibytes, 0, 0, 'd'),
      false,
      undefined,
    ],
  ])('%s', (_, pod, use, hasImageDisk, message) => expect(storageExcess(pod, use, hasImageDisk)?.message).toBe(message));

  test('only pods with limits are measured', () => {
    expect([aPod([limited('c')]), aPod([limited('c', '1')]), aPod([], { volumes })].map(hasStorageLimit)).toEqual([false, true, true]);
  });
});

describe('a node under pressure', () => {
  const bestEffort = aPod([{ name: 'c' }]);
  const burstable = aPod([asking('c', { memory: '1Mi' })]);
  const tolerating = aPod([{ name: 'c' }], { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] });
  const critical = aPod([{ name: 'c' }], { priority: 2_000_000_000 });
  const fromFile = aPod([{ name: 'c' }], {}, { 'kubernetes.io/config.source': 'file' });
  const mirror = aPod([{ name: 'c' }], {}, { 'kubernetes.io/config.mirror': 'h' });
  const memory: PressureCondition[] = ['MemoryPressure'];
  test.each<[string, Pod, PressureCondition[], string | undefined]>([
    ['no pressure', bestEffort, [], undefined],
    ['best effort', bestEffort, memory, 'The node had condition: [MemoryPressure]. '],
    ['burstable', burstable, memory, undefined],
    ['tolerating', tolerating, memory, undefined],
    ['tolerating, but the disk is full', tolerating, ['DiskPressure'], 'The node had condition: [DiskPressure]. '],
    [
      'burstable, but the disk is full too',
      burstable,
      ['MemoryPressure', 'DiskPressure'],
      'The node had condition: [MemoryPressure DiskPressure]. ',
    ],
    ['few processes left', burstable, ['PIDPressure'], 'The node had condition: [PIDPressure]. '],
    ['critical', critical, ['DiskPressure'], undefined],
    ['of a file', fromFile, ['DiskPressure'], undefined],
    ['a mirror', mirror, ['DiskPressure'], undefined],
  ])('%s', (_, pod, conditions, message) => {
    expect(judgePressureAdmission(pod, conditions)).toEqual(message === undefined ? undefined : { reason: 'Evicted', message });
  });

  test('who is never evicted', () =>
    expect([bestEffort, critical, fromFile, mirror].map(isCriticalPod)).toEqual([false, true, true, true]));
});
