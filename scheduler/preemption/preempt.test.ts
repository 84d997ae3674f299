import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodSpec } from '#api/generated/types.ts';
import type { PodDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { decide } from '../framework/decide.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import { sampleNode, samplePod } from '../framework/sample-objects.ts';
import { defaultProfile } from '../plugins/default-profile.ts';
import { ClusterState } from '../snapshot/cluster-state.ts';
import type { Preemption } from './preempt.ts';

interface Traits {
  readonly cpu?: string;
  readonly priority?: number;
  readonly startTime?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: Partial<V1PodSpec>;
  readonly status?: Pod['status'];
  readonly deletionTimestamp?: string;
}

function aPod(name: string, { cpu = '1', priority = 0, startTime, labels, spec, status, deletionTimestamp }: Traits = {}): Pod {
  const containers = [{ name: 'c', image: 'x', resources: { requests: { cpu } } }];
  const made = samplePod(name, { containers, priority, ...spec });
  return {
    ...made,
    metadata: {
      ...made.metadata,
      ...(labels === undefined ? {} : { labels }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    status: { ...status, ...(startTime === undefined ? {} : { startTime }) },
  };
}

const twoCpus = (name: string, labels: Record<string, string> = {}): Node => sampleNode(name, { allocatable: { cpu: '2' }, labels });

function clusterOf(
  placed: Readonly<Record<string, readonly Pod[]>>,
  nodes: readonly Node[] = Object.keys(placed).map((name) => twoCpus(name)),
) {
  const cluster = new ClusterState(new FakeClock());
  cluster.setNamespace('a', {});
  cluster.setNamespace('default', {});
  for (const node of nodes) cluster.setNode(node);
  for (const [nodeName, pods] of Object.entries(placed)) {
    for (const pod of pods) cluster.setPod({ ...pod, spec: { ...pod.spec, nodeName } });
  }
  return cluster;
}

function preempt(pod: Pod, cluster: ClusterState, budgets: readonly PodDisruptionBudget[] = []): Preemption | undefined {
  const before = cluster.nodes.map((node) => [node.name, [...node.pods.keys()].sort(), { ...node.requested }]);
  const decision = decide({
    profile: defaultProfile(),
    pod: podInfoOf(pod),
    cluster,
    startIndex: 0,
    random: () => 0,
    budgets: () => budgets,
  });
  if (decision.kind !== 'none') throw new Error('it fits');
  // Everything that was taken away to try is back.
  expect(cluster.nodes.map((node) => [node.name, [...node.pods.keys()].sort(), { ...node.requested }])).toEqual(before);
  return decision.preemption;
}

function shown(preemption: Preemption | undefined): string {
  if (preemption?.kind === 'victims') return `${preemption.nodeName}: ${preemption.pods.map(({ pod }) => pod.metadata.name).join(' ')}`;
  if (preemption?.kind === 'none') return [...preemption.reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return preemption?.kind ?? 'never';
}

const aBudget = (app: string, disruptionsAllowed: number, disruptedPods: Record<string, string> = {}): PodDisruptionBudget => ({
  metadata: { name: app, namespace: aPod('x').metadata.namespace ?? '' },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed, disruptedPods, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});
const high = (more: Traits = {}): Pod => aPod('high', { priority: 100, ...more });
const of = (app: string): Traits => ({ labels: { app } });

describe('who goes from a node', () => {
  test.each<[what: string, placed: readonly Pod[], pod: Pod, expected: string]>([
    ['the only one', [aPod('a', { cpu: '2' })], high(), 'n: a'],
    ['no more than need be, the least important', [aPod('a', { priority: 5 }), aPod('b', { priority: 3 })], high(), 'n: b'],
    [
      'of equals the one that started last',
      [aPod('a', { startTime: '2026-01-01T00:00:00Z' }), aPod('b', { startTime: '2026-01-02T00:00:00Z' })],
      high(),
      'n: b',
    ],
    ['all, where all are needed', [aPod('a'), aPod('b')], high({ cpu: '2' }), 'n: a b'],
    ['none of the same priority', [aPod('a', { cpu: '2', priority: 100 })], high(), '1 No preemption victims found for incoming pod'],
    ['none, where their going is not enough', [aPod('a', { priority: 200 }), aPod('b')], high({ cpu: '2' }), '1 Insufficient cpu'],
    ['none for a pod that pushes nobody away', [aPod('a', { cpu: '2' })], high({ spec: { preemptionPolicy: 'Never' } }), 'never'],
  ])('%s', (_what, placed, pod, expected) => {
    expect(shown(preempt(pod, clusterOf({ n: placed })))).toBe(expected);
  });

  test('who holds the port', () => {
    const ports = [{ containerPort: 80, hostPort: 80 }];
    const on = (cpu: string) => ({ containers: [{ name: 'c', image: 'x', ports, resources: { requests: { cpu } } }] });
    const placed = [aPod('holds', { spec: on('100m') }), aPod('other', { cpu: '100m' })];
    expect(shown(preempt(high({ spec: on('100m') }), clusterOf({ n: placed })))).toBe('n: holds');
  });

  test('who wants to be alone, for plugins are asked anew without it', () => {
    const topologyKey = 'kubernetes.io/hostname';
    const apart = { labelSelector: { matchLabels: { app: 'new' } }, topologyKey };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } };
    const placed = [aPod('lonely', { cpu: '100m', spec: { affinity } }), aPod('other', { cpu: '100m' })];
    const cluster = clusterOf({ n: placed }, [twoCpus('n', { [topologyKey]: 'n' })]);
    expect(shown(preempt(high({ cpu: '100m', ...of('new') }), cluster))).toBe('n: lonely');
  });

  test('budgets keep theirs where another can go instead', () => {
    const placed = [aPod('kept', { ...of('kept') }), aPod('free', { priority: 5 })];
    expect(shown(preempt(high(), clusterOf({ n: placed }), [aBudget('kept', 0)]))).toBe('n: free');
    expect(shown(preempt(high(), clusterOf({ n: placed }), [aBudget('kept', 1)]))).toBe('n: kept');
    expect(shown(preempt(high(), clusterOf({ n: placed }), [aBudget('kept', 0, { kept: '2026-01-01T00:00:00Z' })]))).toBe('n: kept');
    // Where nobody else is left, a budget is broken.
    expect(shown(preempt(high({ cpu: '2' }), clusterOf({ n: placed }), [aBudget('kept', 0)]))).toBe('n: free kept');
  });
});

describe('which node makes room', () => {
  const whole = (name: string, more: Traits = {}): Pod => aPod(name, { cpu: '2', ...more });

  test.each<[what: string, placed: Readonly<Record<string, readonly Pod[]>>, expected: string]>([
    ['the one whose budgets allow it', { m: [whole('kept', of('kept'))], n: [whole('free', { priority: 9 })] }, 'n: free'],
    ['the one whose most important victim is the least', { m: [whole('a', { priority: 9 })], n: [whole('b', { priority: 3 })] }, 'n: b'],
    [
      'the one whose victims are the least together',
      { m: [aPod('a', { priority: 9 }), aPod('b', { priority: 9 })], n: [aPod('c', { priority: 9 }), aPod('d', { priority: 3 })] },
      'n: c d',
    ],
    ['the one with the fewest victims', { m: [aPod('a'), aPod('b')], n: [whole('c')] }, 'n: c'],
    [
      'the one whose victims started last',
      { m: [whole('a', { startTime: '2026-01-01T00:00:00Z' })], n: [whole('b', { startTime: '2026-01-02T00:00:00Z' })] },
      'n: b',
    ],
    ['of equal ones the first', { m: [whole('a')], n: [whole('b')] }, 'm: a'],
  ])('%s', (_what, placed, expected) => {
    expect(shown(preempt(high({ cpu: '2' }), clusterOf(placed), [aBudget('kept', 0)]))).toBe(expected);
  });

  test('none, while those that were told to go are still going', () => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }];
    const going = whole('going', { deletionTimestamp: '2026-01-01T00:00:00Z', status: { conditions } });
    const promised = high({ cpu: '2', status: { nominatedNodeName: 'm' } });
    expect(shown(preempt(promised, clusterOf({ m: [going], n: [whole('other')] })))).toBe('waits');
  });
});
