import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { aNode, nowMs, secondsAgo } from '../builders.ts';
import { type Eviction, silentConditions, wantedTaints } from './lifecycle-plan.ts';

const prefix = 'node.kubernetes.io/';
const short = (node: Node, eviction: Eviction = 'held') =>
  wantedTaints(node, { eviction, nowMs }).map(({ key, effect }) => `${key.replace(prefix, '')}:${effect}`);
const tainted = (conditions: Record<string, string>, ...taints: string[]): Node => {
  const list = taints.map((text) => {
    const [key = '', effect = ''] = text.split(':');
    return { key: key.includes('/') ? key : `${prefix}${key}`, effect, timeAdded: secondsAgo(60) };
  });
  return aNode(conditions, { spec: { taints: list } });
};

describe('taints', () => {
  test.each<[why: string, node: Node, eviction: Eviction, expected: string[]]>([
    ['ready', aNode(), 'held', []],
    ['ready again', tainted({ Ready: 'True' }, 'not-ready:NoSchedule', 'unreachable:NoExecute'), 'held', []],
    ['not ready', aNode({ Ready: 'False' }), 'held', ['not-ready:NoSchedule']],
    ['not ready, its turn', aNode({ Ready: 'False' }), 'allowed', ['not-ready:NoSchedule', 'not-ready:NoExecute']],
    ['unheard of, its turn', aNode({ Ready: 'Unknown' }), 'allowed', ['unreachable:NoSchedule', 'unreachable:NoExecute']],
    [
      'unheard of after not ready: the reason changes at once',
      tainted({ Ready: 'Unknown' }, 'not-ready:NoExecute'),
      'held',
      ['unreachable:NoSchedule', 'unreachable:NoExecute'],
    ],
    [
      'no node is ready: nothing is driven off',
      tainted({ Ready: 'Unknown' }, 'unreachable:NoExecute'),
      'stopped',
      ['unreachable:NoSchedule'],
    ],
    [
      'short of memory and disk',
      aNode({ Ready: 'True', MemoryPressure: 'True', DiskPressure: 'True' }),
      'held',
      ['memory-pressure:NoSchedule', 'disk-pressure:NoSchedule'],
    ],
    ['pressure unknown is none', aNode({ Ready: 'True', PIDPressure: 'Unknown' }), 'held', []],
    ['without network', aNode({ Ready: 'True', NetworkUnavailable: 'True' }), 'held', ['network-unavailable:NoSchedule']],
    ['cordoned', aNode({ Ready: 'True' }, { spec: { unschedulable: true } }), 'held', ['unschedulable:NoSchedule']],
    [
      "others' stay",
      tainted({ Ready: 'True' }, 'example.com/gpu:NoSchedule', 'not-ready:PreferNoSchedule'),
      'held',
      ['example.com/gpu:NoSchedule', 'not-ready:PreferNoSchedule'],
    ],
  ])('%s', (_why, node, eviction, expected) => {
    expect(short(node, eviction)).toEqual(expected);
  });

  test('keep the time when they came', () => {
    const node = tainted({ Ready: 'Unknown' }, 'unreachable:NoExecute');
    expect(wantedTaints(node, { eviction: 'held', nowMs }).map(({ timeAdded }) => timeAdded)).toEqual([secondsAgo(0), secondsAgo(60)]);
  });
});

describe('a silent node', () => {
  const said = (node: Node) => silentConditions(node, nowMs).map(({ type, status, reason }) => [type, status, reason]);

  test('that spoke before', () => {
    expect(said(aNode({ Ready: 'True', MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Other: 'True' }))).toEqual([
      ...['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => [type, 'Unknown', 'NodeStatusUnknown']),
      ['Other', 'True', undefined],
    ]);
  });

  test('that was never heard of', () => {
    const conditions = silentConditions(aNode({}), nowMs);
    expect(conditions.map(({ reason }) => reason)).toEqual(Array.from({ length: 4 }, () => 'NodeStatusNeverUpdated'));
    expect(conditions[0]).toMatchObject({ lastHeartbeatTime: secondsAgo(600), message: 'Kubelet never posted node status.' });
  });

  test('twice is the same', () => {
    const node = aNode({});
    const conditions = silentConditions(node, nowMs - 1_000);
    expect(silentConditions({ ...node, status: { conditions } }, nowMs)).toEqual(conditions);
  });
});
