import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { defaultProfile } from '../plugins/default-profile.ts';
import { ClusterState } from '../snapshot/cluster-state.ts';
import { type Decision, decide, enoughNodes } from './decide.ts';
import { podInfoOf } from './pod-info.ts';
import { podWanting, sampleNode, samplePod } from './sample-objects.ts';

function clusterOf(nodes: readonly ReturnType<typeof sampleNode>[], placed: Readonly<Record<string, readonly Pod[]>> = {}): ClusterState {
  const state = new ClusterState(new FakeClock());
  for (const node of nodes) state.setNode(node);
  for (const [nodeName, pods] of Object.entries(placed)) {
    for (const pod of pods) state.setPod({ ...pod, spec: { ...pod.spec, nodeName } });
  }
  return state;
}

function decideFor(pod: Pod, cluster: ClusterState, more: Partial<Parameters<typeof decide>[0]> = {}): Decision {
  return decide({ profile: defaultProfile(), pod: podInfoOf(pod), cluster, startIndex: 0, random: () => 0.99, ...more });
}

const messageOf = (decision: Decision): string => (decision.kind === 'none' ? decision.message : `went to ${decision.nodeName}`);

describe('why a pod waits, in upstream’s words', () => {
  const small = { allocatable: { cpu: '1' } };
  const tainted = { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } };

  test.each([
    { name: 'no nodes', nodes: [], pod: samplePod('p'), message: 'no nodes available to schedule pods' },
    {
      name: 'a taint',
      nodes: [sampleNode('n', tainted)],
      pod: samplePod('p'),
      message:
        '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    },
    {
      name: 'several reasons are counted and sorted',
      nodes: [sampleNode('a', small), sampleNode('b', small), sampleNode('c', tainted), sampleNode('d', { spec: { unschedulable: true } })],
      pod: podWanting('p', { cpu: '2' }),
      message:
        '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    },
    {
      name: 'a node that is full now',
      nodes: [sampleNode('a', small), sampleNode('b', tainted)],
      placed: { a: [podWanting('x', { cpu: '800m' })] },
      pod: podWanting('p', { cpu: '500m' }),
      message:
        '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    },
    {
      name: 'a node that others make room on',
      nodes: [sampleNode('a', small)],
      placed: { a: [podWanting('x', { cpu: '800m' })] },
      pod: podWanting('p', { cpu: '500m' }, { priority: 10 }),
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    },
    {
      name: 'a pod that does not push others away',
      nodes: [sampleNode('a', small)],
      placed: { a: [podWanting('x', { cpu: '800m' })] },
      pod: podWanting('p', { cpu: '500m' }, { priority: 10, preemptionPolicy: 'Never' }),
      message:
        '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    },
    {
      name: 'a claim that does not exist',
      nodes: [sampleNode('a')],
      pod: samplePod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
      message:
        '0/1 nodes are available: persistentvolumeclaim "data" not found. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    },
  ])('$name', ({ nodes, placed = {}, pod, message }) => {
    expect(messageOf(decideFor(pod, clusterOf(nodes, placed)))).toBe(message);
  });

  test('names the plugins whose events may help', () => {
    const decision = decideFor(podWanting('p', { cpu: '2' }), clusterOf([sampleNode('a', small), sampleNode('b', tainted)]));
    expect(decision).toMatchObject({ kind: 'none', rejectedBy: new Set(['NodeResourcesFit', 'TaintToleration']) });
  });
});

describe('which node wins', () => {
  test('the emptier one', () => {
    const cluster = clusterOf([sampleNode('a'), sampleNode('b')], { a: [podWanting('x', { cpu: '2', memory: '4Gi' })] });
    expect(messageOf(decideFor(podWanting('p', { cpu: '100m', memory: '200Mi' }), cluster))).toBe('went to b');
  });

  test('pods that request nothing spread too', () => {
    const cluster = clusterOf([sampleNode('a'), sampleNode('b')], { a: [samplePod('x')] });
    expect(messageOf(decideFor(samplePod('p'), cluster))).toBe('went to b');
  });

  test('a preference outweighs a little load; a soft taint outweighs more', () => {
    const preference = { weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } };
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preference] } };
    const nodes = [sampleNode('a', { labels: { disk: 'ssd' } }), sampleNode('b')];
    const cluster = clusterOf(nodes, { a: [podWanting('x', { cpu: '1', memory: '2Gi' })] });
    expect(messageOf(decideFor(samplePod('p', { affinity }), cluster))).toBe('went to a');
    cluster.setNode(sampleNode('a', { labels: { disk: 'ssd' }, spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } }));
    expect(messageOf(decideFor(samplePod('p', { affinity }), cluster))).toBe('went to b');
  });

  test('of equal ones, chance decides', () => {
    const cluster = clusterOf(['a', 'b', 'c'].map((name) => sampleNode(name)));
    const wins = new Set<string>();
    for (const random of [0.9, 0.4, 0.2]) wins.add(messageOf(decideFor(samplePod('p'), cluster, { random: () => random })));
    expect(wins.size).toBeGreaterThan(1);
  });

  test('the one that was made free for it, without looking further', () => {
    const cluster = clusterOf([sampleNode('a'), sampleNode('b')], { b: [podWanting('x', { cpu: '3', memory: '6Gi' })] });
    const promised: Pod = { ...samplePod('p'), status: { nominatedNodeName: 'b' } };
    expect(messageOf(decideFor(promised, cluster))).toBe('went to b');
  });

  test('not one whose room was promised to a more important pod', () => {
    const waiting = podInfoOf(podWanting('big', { cpu: '3' }, { priority: 10 }));
    const nominated = new Map([['a', [waiting]]]);
    const cluster = clusterOf([sampleNode('a')]);
    const pod = podWanting('p', { cpu: '2' });
    expect(messageOf(decideFor(pod, cluster, { nominated }))).toContain('1 Insufficient cpu');
    expect(messageOf(decideFor({ ...pod, spec: { ...pod.spec, priority: 11 } }, cluster, { nominated }))).toBe('went to a');
    expect(cluster.node('a')?.pods.size).toBe(0);
  });
});

describe('large clusters', () => {
  test.each([
    [1, 1],
    [99, 99],
    [100, 100],
    [1_000, 420],
    [5_000, 500],
    [10_000, 500],
  ])('of %i nodes %i that fit are enough', (total, enough) => {
    expect(enoughNodes(total)).toBe(enough);
  });

  test('each cycle begins where the last one ended, and zones take turns', () => {
    const zone = (at: number) => ({ 'topology.kubernetes.io/zone': `z${at % 2}` });
    // All of one zone come first in the order of their making.
    const nodes = [...Array(300).keys()].map((at) => sampleNode(`n${at}`, { labels: zone(at < 150 ? 0 : 1) }));
    const cluster = clusterOf(nodes);
    expect(cluster.nodes.slice(0, 4).map(({ name }) => name)).toEqual(['n0', 'n150', 'n1', 'n151']);
    const first = decideFor(samplePod('p'), cluster);
    expect(first.nextIndex).toBe(enoughNodes(300));
    expect(decideFor(samplePod('p'), cluster, { startIndex: first.nextIndex }).nextIndex).toBe((2 * enoughNodes(300)) % 300);
  });
});
