import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import { podWanting, sampleNode } from '../framework/sample-objects.ts';
import { ClusterState } from './cluster-state.ts';
import { nodeChanges } from './node-changes.ts';

const half = podWanting('p', { cpu: '500m' });
const on = (nodeName: string) => ({ ...half, spec: { ...half.spec, nodeName } });
const usedOf = (state: ClusterState, node: string): number | undefined => state.node(node)?.requested.cpuMillis;

function make(): { state: ClusterState; clock: FakeClock } {
  const clock = new FakeClock();
  const state = new ClusterState(clock);
  for (const name of ['a', 'b']) state.setNode(sampleNode(name));
  return { state, clock };
}

describe('ClusterState', () => {
  test('counts a pod once, however often and wherever it is seen', () => {
    const { state } = make();
    state.setPod(on('a'));
    state.setPod(on('a'));
    expect(usedOf(state, 'a')).toBe(500);
    state.setPod(on('b'));
    expect([usedOf(state, 'a'), usedOf(state, 'b')]).toEqual([0, 500]);
    state.removePod('uid-p');
    state.removePod('uid-p');
    expect(usedOf(state, 'b')).toBe(0);
  });

  test('an assumed pod takes its room until it is forgotten', () => {
    const { state } = make();
    state.assume(podInfoOf(half), 'a');
    expect([usedOf(state, 'a'), state.assumedCount]).toEqual([500, 1]);
    state.forget('uid-p');
    expect([usedOf(state, 'a'), state.assumedCount]).toEqual([0, 0]);
  });

  test('seen bound, it stays, even if the binding seemed to fail', () => {
    const { state } = make();
    state.assume(podInfoOf(half), 'a');
    state.setPod(on('a'));
    state.forget('uid-p');
    expect([usedOf(state, 'a'), state.assumedCount]).toEqual([500, 0]);
  });

  test('bound elsewhere, it moves', () => {
    const { state } = make();
    state.assume(podInfoOf(half), 'a');
    state.setPod(on('b'));
    expect([usedOf(state, 'a'), usedOf(state, 'b')]).toEqual([0, 500]);
  });

  test('bound but never seen so, it is given up after half a minute; while binding it is not', async () => {
    const { state, clock } = make();
    state.assume(podInfoOf(half), 'a');
    await clock.advance(60_000);
    expect(state.expireAssumed()).toEqual([]);
    state.bound('uid-p');
    await clock.advance(29_999);
    expect(state.expireAssumed()).toEqual([]);
    await clock.advance(1);
    expect(state.expireAssumed().map(({ uid }) => uid)).toEqual(['uid-p']);
    expect(usedOf(state, 'a')).toBe(0);
  });

  test('pods may be seen before their node, and outlive it', () => {
    const { state } = make();
    state.setPod(on('late'));
    expect(state.node('late')).toBeUndefined();
    expect(state.nodes).toHaveLength(2);
    state.setNode(sampleNode('late'));
    expect([usedOf(state, 'late'), state.nodes.length]).toEqual([500, 3]);
    state.removeNode('late');
    expect(state.node('late')).toBeUndefined();
    state.setNode(sampleNode('late'));
    expect(usedOf(state, 'late')).toBe(500);
  });
});

describe('nodeChanges', () => {
  test.each([
    { name: 'a heartbeat', next: { ...sampleNode('n'), metadata: { name: 'n', labels: {}, resourceVersion: '7' } }, events: [] },
    { name: 'labels', next: sampleNode('n', { labels: { a: 'b' } }), events: ['node-labels-changed'] },
    { name: 'room', next: sampleNode('n', { allocatable: { cpu: '8' } }), events: ['node-allocatable-changed'] },
    { name: 'taints', next: sampleNode('n', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }), events: ['node-taints-changed'] },
    { name: 'cordon', next: sampleNode('n', { spec: { unschedulable: true } }), events: ['node-taints-changed'] },
  ])('$name', ({ next, events }) => {
    expect(nodeChanges(sampleNode('n'), next)).toEqual(events);
  });
});
