import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { type PodInfo, podInfoOf } from '../framework/pod-info.ts';
import { nodeInfo, podWanting, sampleNode, samplePod } from '../framework/sample-objects.ts';
import { defaultProfile } from '../plugins/default-profile.ts';
import type { QueuedPod } from './queued-pod.ts';
import { SchedulingQueue } from './scheduling-queue.ts';

const never = new AbortController().signal;
const taint = new Set(['TaintToleration']);
const fit = new Set(['NodeResourcesFit']);
const plainNode = { event: 'node-taints-changed', node: nodeInfo(sampleNode('n')) } as const;

function make(): { queue: SchedulingQueue; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, queue: new SchedulingQueue({ clock, profile: defaultProfile() }) };
}

const plain = (name: string, priority = 0): PodInfo => podInfoOf(samplePod(name, { priority }));

function takeName(queue: SchedulingQueue): string | undefined {
  return queue.tryTake()?.pod.pod.metadata.name;
}

function require(queued: QueuedPod | undefined): QueuedPod {
  if (queued === undefined) throw new Error('nothing was due');
  return queued;
}

describe('SchedulingQueue', () => {
  test('important pods first, then those that came first', async () => {
    const { queue, clock } = make();
    queue.add(plain('a'));
    await clock.advance(1);
    queue.add(plain('b', 5));
    await clock.advance(1);
    queue.add(plain('c'));
    queue.add(plain('d', 5));
    expect([takeName(queue), takeName(queue), takeName(queue), takeName(queue)]).toEqual(['b', 'd', 'a', 'c']);
    expect(takeName(queue)).toBeUndefined();
  });

  test('take waits for a pod, and for the abort', async () => {
    const { queue } = make();
    const taking = queue.take(never);
    queue.add(plain('a'));
    expect((await taking).attempts).toBe(1);
    const stop = new AbortController();
    const waiting = queue.take(stop.signal);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
  });

  test('a rejected pod sleeps until an event that a rejecting plugin waits for', () => {
    const { queue } = make();
    queue.add(plain('a'));
    queue.giveBackRejected(require(queue.tryTake()), taint);
    expect(queue.count('unschedulable')).toBe(1);
    queue.happened({ event: 'pod-removed', pod: plain('x') });
    queue.happened({ event: 'node-labels-changed', node: nodeInfo(sampleNode('n')) });
    expect(takeName(queue)).toBeUndefined();
    queue.happened(plainNode);
    expect(queue.count('unschedulable')).toBe(0);
  });

  test('an event that cannot help this pod leaves it asleep', () => {
    const { queue } = make();
    queue.add(podInfoOf(podWanting('big', { cpu: '8' })));
    queue.giveBackRejected(require(queue.tryTake()), fit);
    queue.happened({ event: 'node-added', node: nodeInfo(sampleNode('small')) });
    expect(queue.count('unschedulable')).toBe(1);
    queue.happened({ event: 'node-added', node: nodeInfo(sampleNode('large', { allocatable: { cpu: '16' } })) });
    expect(queue.count('unschedulable')).toBe(0);
  });

  test('woken too soon it waits out its back-off, behind what is active', () => {
    const { queue } = make();
    queue.add(plain('a'));
    queue.giveBackRejected(require(queue.tryTake()), taint);
    queue.happened(plainNode);
    expect(queue.count('backoff')).toBe(1);
    queue.add(plain('b'));
    expect(takeName(queue)).toBe('b');
    // With nothing else to do, there is no reason to let it wait.
    expect(takeName(queue)).toBe('a');
  });

  test('errors wait 1 s, 2 s, 4 s, 8 s, 10 s, whatever happens', async () => {
    const { queue, clock } = make();
    queue.add(plain('a'));
    for (const waitMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      queue.giveBackErred(require(queue.tryTake()));
      await clock.advance(waitMs - 1);
      queue.tick();
      expect(takeName(queue)).toBeUndefined();
      await clock.advance(1);
      queue.tick();
      expect(queue.count('active')).toBe(1);
    }
  });

  test('after five minutes everything is tried again', async () => {
    const { queue, clock } = make();
    const stop = new AbortController();
    const running = queue.run(stop.signal);
    queue.add(plain('a'));
    queue.giveBackRejected(require(queue.tryTake()), taint);
    await clock.advance(299_000);
    expect(queue.count('unschedulable')).toBe(1);
    await clock.advance(2_000);
    expect(takeName(queue)).toBe('a');
    stop.abort();
    await running;
    expect(clock.pending).toBe(0);
  });

  test('a gated pod comes in when its gate is gone', () => {
    const { queue } = make();
    queue.add(podInfoOf(samplePod('a', { schedulingGates: [{ name: 'g/x' }] })));
    expect(queue.count('gated')).toBe(1);
    expect(takeName(queue)).toBeUndefined();
    queue.happened(plainNode);
    expect(queue.count('gated')).toBe(1);
    queue.update(plain('a'), true);
    expect(takeName(queue)).toBe('a');
  });

  test('a change of the pod wakes it where that may help; its newest form counts', () => {
    const { queue } = make();
    queue.add(plain('a'));
    queue.giveBackRejected(require(queue.tryTake()), taint);
    queue.update(plain('a', 3), false);
    expect(queue.count('unschedulable')).toBe(1);
    queue.update(plain('a', 7), true);
    expect(require(queue.tryTake()).pod.priority).toBe(7);
  });

  test('a pod that is gone is not handed out and cannot be given back', () => {
    const { queue } = make();
    queue.add(plain('a'));
    queue.add(plain('b'));
    queue.remove('uid-a');
    const taken = require(queue.tryTake());
    expect(taken.pod.uid).toBe('uid-b');
    queue.remove('uid-b');
    queue.giveBackErred(taken);
    queue.giveBackRejected(taken, taint);
    expect([queue.count('backoff'), queue.count('unschedulable'), queue.count('active')]).toEqual([0, 0, 0]);
    expect(queue.has('uid-b')).toBe(false);
  });

  test('knows which pods were promised a node', () => {
    const { queue } = make();
    expect(queue.nominated()).toBeUndefined();
    queue.add(podInfoOf({ ...samplePod('a'), status: { nominatedNodeName: 'n' } }));
    expect(
      queue
        .nominated()
        ?.get('n')
        ?.map(({ uid }) => uid),
    ).toEqual(['uid-a']);
    queue.remove('uid-a');
    expect(queue.nominated()).toBeUndefined();
  });
});
