import { describe, expect, test } from 'vitest';
import { nodeConditions } from './conditions.ts';

describe('nodeConditions', () => {
  const first = nodeConditions([], [], { problems: [] }, 't1');
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
    const { conditions } = nodeConditions([], [], { problems: [], hasAppArmor: true }, 't1');
    expect(conditions.at(-1)?.message).toBe('kubelet is posting ready status. AppArmor enabled');
  });
  test('a heartbeat changes nothing else', () => {
    const next = nodeConditions(first.conditions, [], { problems: [] }, 't2');
    expect(next.events).toEqual([]);
    expect(next.conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(['t1', 't1', 't1', 't1']);
    expect(next.conditions.map(({ lastHeartbeatTime }) => lastHeartbeatTime)).toEqual(['t2', 't2', 't2', 't2']);
  });
  test('trouble', () => {
    const next = nodeConditions(first.conditions, ['MemoryPressure'], { problems: ['a', 'b'] }, 't2');
    expect(next.events.map(({ reason }) => reason)).toEqual(['NodeHasInsufficientMemory', 'NodeNotReady']);
    expect(next.conditions.at(-1)).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: 'a, b', lastTransitionTime: 't2' });
  });
});
