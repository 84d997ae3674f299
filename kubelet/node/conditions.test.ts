import { describe, expect, test } from 'vitest';
import { defaultThresholds, nodeConditions, pressureOf } from './conditions.ts';
import type { DiskUse, Measurements } from './facts.ts';

const disk = (availableShare: number, inodeShare = 1): DiskUse => ({
  totalBytes: 1_000,
  availableBytes: 1_000 * availableShare,
  totalInodes: 100,
  freeInodes: 100 * inodeShare,
});
const calm = { memory: false, disk: false, pid: false };

describe('pressureOf', () => {
  test.each<[name: string, measured: Partial<Measurements>, expected: object]>([
    ['plenty', {}, calm],
    ['memory', { memoryAvailableBytes: 50 * 2 ** 20 }, { ...calm, memory: true }],
    ['disk', { disk: disk(0.09) }, { ...calm, disk: true }],
    ['disk just enough', { disk: disk(0.1) }, calm],
    ['inodes', { disk: disk(0.5, 0.04) }, { ...calm, disk: true }],
    ['images', { imageDisk: disk(0.14) }, { ...calm, disk: true }],
    ['a disk without inodes', { disk: { ...disk(0.5), totalInodes: 0, freeInodes: 0 } }, calm],
  ])('%s', (_, measured, expected) => {
    const all = { memoryAvailableBytes: 2 ** 30, disk: disk(0.5), imageDisk: disk(0.5), ...measured };
    expect(pressureOf(all, defaultThresholds)).toEqual(expected);
  });
});

describe('nodeConditions', () => {
  const first = nodeConditions([], calm, { problems: [] }, 't1');
  test('at the start everything is news', () => {
    expect(first.events.map(({ reason }) => reason)).toEqual([
      'NodeHasSufficientMemory',
      'NodeHasNoDiskPressure',
      'NodeHasSufficientPID',
      'NodeReady',
    ]);
    expect(first.conditions.at(-1)).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'kubelet is posting ready status',
      lastHeartbeatTime: 't1',
      lastTransitionTime: 't1',
    });
  });
  test('a kernel with AppArmor is told of', () => {
    const { conditions } = nodeConditions([], calm, { problems: [], hasAppArmor: true }, 't1');
    expect(conditions.at(-1)?.message).toBe('kubelet is posting ready status. AppArmor enabled');
  });
  test('a heartbeat changes nothing else', () => {
    const next = nodeConditions(first.conditions, calm, { problems: [] }, 't2');
    expect(next.events).toEqual([]);
    expect(next.conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(['t1', 't1', 't1', 't1']);
    expect(next.conditions.map(({ lastHeartbeatTime }) => lastHeartbeatTime)).toEqual(['t2', 't2', 't2', 't2']);
  });
  test('trouble', () => {
    const next = nodeConditions(first.conditions, { ...calm, memory: true }, { problems: ['a', 'b'] }, 't2');
    expect(next.events.map(({ reason }) => reason)).toEqual(['NodeHasInsufficientMemory', 'NodeNotReady']);
    expect(next.conditions.at(-1)).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: 'a, b', lastTransitionTime: 't2' });
  });
});
