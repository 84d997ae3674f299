import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { lacksOf } from './admission.ts';
import { planPreemption } from './preemption.ts';

const node: Node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '1', memory: '1000Mi', pods: '10' } } };
const critical = 2_000_000_000;

interface Ask {
  readonly cpu?: string;
  readonly memory?: string;
  readonly isGuaranteed?: boolean;
  readonly priority?: number;
}
function aPod(name: string, { cpu, memory, isGuaranteed = false, priority = 0 }: Ask = {}): Pod {
  const requests = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  const resources = isGuaranteed ? { requests, limits: requests } : { requests };
  return { metadata: { name, namespace: 'ns', uid: name }, spec: { containers: [{ name: 'c', image: 'i', resources }], priority } };
}

function plan(pod: Pod, others: readonly Pod[]): readonly string[] | string {
  const outcome = planPreemption(pod, lacksOf(pod, node, others), others);
  return 'problem' in outcome ? outcome.problem : outcome.victims.map(({ metadata }) => metadata.name ?? '');
}

describe('who makes way', () => {
  const guaranteed = (name: string, cpu: string): Pod => aPod(name, { cpu, memory: '100Mi', isGuaranteed: true });
  test.each<[string, Ask, Pod[], readonly string[] | string]>([
    ['nobody where there is room', { cpu: '500m' }, [aPod('a', { cpu: '500m' })], []],
    ['the one whose part is enough', { cpu: '500m' }, [aPod('a', { cpu: '400m' }), aPod('b', { cpu: '600m' })], ['b']],
    ['the smallest of those that are enough', { cpu: '300m' }, [aPod('a', { cpu: '550m' }), aPod('b', { cpu: '450m' })], ['b']],
    ['the burstable before the guaranteed', { cpu: '300m' }, [guaranteed('g', '500m'), aPod('b', { cpu: '500m' })], ['b']],
    ['the guaranteed that must', { cpu: '700m' }, [guaranteed('g', '500m'), aPod('b', { cpu: '500m' })], ['b', 'g']],
    ['as few as will do', { cpu: '600m' }, [aPod('a', { cpu: '200m' }), aPod('b', { cpu: '200m' }), aPod('c', { cpu: '600m' })], ['c']],
    [
      'both kinds of want counted alike',
      { cpu: '500m', memory: '500Mi' },
      [aPod('a', { cpu: '500m', memory: '10Mi' }), aPod('b', { cpu: '500m', memory: '990Mi' })],
      ['b'],
    ],
    [
      'no critical ones',
      { cpu: '500m' },
      [aPod('a', { cpu: '1', priority: critical })],
      'preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 500), ]',
    ],
    ['critical ones of less priority', { cpu: '500m', priority: critical + 1_000 }, [aPod('a', { cpu: '1', priority: critical })], ['a']],
  ])('%s', (_, ask, others, expected) => expect(plan(aPod('p', { priority: critical, ...ask }), others)).toEqual(expected));

  test('one that asks for nothing, for want of places', () => {
    const others = Array.from({ length: 10 }, (_, at) => aPod(`p${at}`, at === 4 ? {} : { cpu: '100m' }));
    expect(plan(aPod('p', { priority: critical }), others)).toEqual(['p4']);
  });
});
