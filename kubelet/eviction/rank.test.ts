import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { diskParts, rank } from './rank.ts';
import type { Signal } from './signals.ts';
import type { ContainerUse, PodUse } from './usage.ts';

interface Case {
  readonly name: string;
  readonly priority?: number;
  readonly requests?: Readonly<Record<string, string>>;
  /** Undefined: nothing is known of it. */
  readonly use?: Omit<ContainerUse, 'name'> & { readonly volume?: number };
}

const disk = (usedBytes: number, inodes = 0) => ({ usedBytes, inodes });

function order(signal: Signal, cases: readonly Case[], hasImageDisk = false): string[] {
  const uses = new Map<string, PodUse>();
  const pods = cases.map(({ name, priority, requests = {}, use }): Pod => {
    if (use !== undefined) {
      const volumes = use.volume === undefined ? [] : [{ name: 'v', ...disk(use.volume) }];
      uses.set(name, { containers: [{ name: 'c', ...use }], volumes });
    }
    const spec = { containers: [{ name: 'c', resources: { requests } }], ...(priority === undefined ? {} : { priority }) };
    return { metadata: { name }, spec };
  });
  return rank(pods, (pod) => uses.get(pod.metadata.name ?? ''), signal, hasImageDisk).map(({ metadata }) => metadata.name ?? '');
}

describe('for want of memory', () => {
  test('those above their request first, then the less important, then the farthest above', () => {
    const found = order('memory.available', [
      { name: 'within', priority: -10, requests: { memory: '500' }, use: { memoryBytes: 400 } },
      { name: 'important', priority: 5, requests: { memory: '10' }, use: { memoryBytes: 900 } },
      { name: 'little', requests: { memory: '100' }, use: { memoryBytes: 150 } },
      { name: 'much', requests: { memory: '100' }, use: { memoryBytes: 300 } },
      { name: 'most, but as asked', requests: { memory: '1000' }, use: { memoryBytes: 1_000 } },
      { name: 'unknown', priority: 100 },
    ]);
    expect(found).toEqual(['unknown', 'much', 'little', 'important', 'within', 'most, but as asked']);
  });

  test('all pods together are ranked alike', () => {
    const pods = [
      { name: 'a', use: { memoryBytes: 1 } },
      { name: 'b', use: { memoryBytes: 2 } },
    ];
    expect(order('allocatableMemory.available', pods)).toEqual(['b', 'a']);
  });
});

test('for want of processes: the less important, then those with most', () => {
  const found = order('pid.available', [
    { name: 'important', priority: 1, use: { processes: 1_000 } },
    { name: 'few', use: { processes: 3 } },
    { name: 'many', use: { processes: 30 } },
  ]);
  expect(found).toEqual(['many', 'few', 'important']);
});

describe('for want of disk', () => {
  const pods: readonly Case[] = [
    { name: 'volumes', use: { volume: 500 } },
    { name: 'logs', use: { logs: disk(300, 2) } },
    { name: 'rootfs', use: { rootfs: disk(400, 70) } },
    { name: 'asked for it', requests: { 'ephemeral-storage': '1000' }, use: { rootfs: disk(900) } },
  ];
  test.each<[Signal, hasImageDisk: boolean, expected: string[]]>([
    ['nodefs.available', false, ['volumes', 'rootfs', 'logs', 'asked for it']],
    ['imagefs.available', false, ['volumes', 'rootfs', 'logs', 'asked for it']],
    ['nodefs.available', true, ['volumes', 'logs', 'rootfs', 'asked for it']],
    ['imagefs.available', true, ['rootfs', 'volumes', 'logs', 'asked for it']],
    ['nodefs.inodesFree', false, ['rootfs', 'logs', 'volumes', 'asked for it']],
  ])('%s, a disk for images: %s', (signal, hasImageDisk, expected) => expect(order(signal, pods, hasImageDisk)).toEqual(expected));

  test('what counts', () => {
    expect(diskParts('containerfs.available', true)).toEqual(['rootfs']);
    expect(diskParts('containerfs.available', false)).toEqual(['rootfs', 'logs', 'volumes']);
  });
});
