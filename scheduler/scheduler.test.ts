// The whole scheduler against an API server in process. Nobody runs the pods: that they get their node is what is tested.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { namespace } from '#api/core/namespace.ts';
import { node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1PodSpec } from '#api/generated/types.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { type Clock, systemClock } from '#base/clock.ts';
import { aborted, runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { EventSender } from '#client/events.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { eventually } from '#client/testing.ts';
import { definePlugin, type Plugin } from './framework/plugin.ts';
import { sampleNode, samplePod } from './framework/sample-objects.ts';
import { schedulerMetrics } from './metrics.ts';
import { defaultBinder } from './plugins/default-binder.ts';
import { defaultProfile } from './plugins/default-profile.ts';
import { Scheduler, schedulerKinds } from './scheduler.ts';

const never = new AbortController().signal;
/** The queue ticks once a second; here ten times as often. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };

let server: TestApiServer;
let client: RestClient;
/** With the scheduler's rights. */
let own: RestClient;
let stop: AbortController;
let ended: Promise<void>;
let metrics: Metrics;

beforeEach(async () => {
  server = await startTestApiServer({ admissionPlugins: ['NamespaceLifecycle', 'Priority', 'DefaultTolerationSeconds'] });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  own = connect(await server.clientConfigFor('system:kube-scheduler'), { clock: systemClock, component: 'kube-scheduler' });
  await client.create(namespace, { metadata: { name: 'a' } }, {}, never);
  stop = new AbortController();
  ended = Promise.resolve();
  metrics = createMetrics();
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await ended;
  await own[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await server.stop();
});

function start(plugins: readonly Plugin[] = [], by: Client = own): Scheduler {
  const cluster = new ClusterCache(schedulerKinds, { client: by, clock: systemClock, log: silentLog });
  const sender = new EventSender({ client: by, clock: systemClock, log: silentLog });
  const profile = defaultProfile([...plugins, defaultBinder(by)]);
  const scheduler = new Scheduler({
    client: by,
    cluster,
    profile,
    events: sender.actionRecorder(profile.schedulerName),
    clock: hasty,
    log: silentLog,
    metrics: (queue) => schedulerMetrics(metrics, profile.schedulerName, queue),
  });
  ended = runServices(stop.signal, [sender, cluster, scheduler]);
  return scheduler;
}

async function addNode(name: string, options: Parameters<typeof sampleNode>[1] = {}): Promise<void> {
  const { status, ...rest } = sampleNode(name, options);
  const made = await client.create(node, rest, {}, never);
  await client.update(node, { ...made, status: status ?? {} }, { subresource: 'status' }, never);
}

function addPod(name: string, spec: Partial<V1PodSpec> = {}): Promise<Pod> {
  return client.create(pod, { metadata: { namespace: 'a', name }, spec: samplePod(name, spec).spec }, {}, never);
}

const until = (promise: Promise<void>, signal: AbortSignal): Promise<void> => Promise.race([promise, aborted(signal)]);
const wanting = (cpu: string): Partial<V1PodSpec> => ({ containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] });
const getPod = (name: string) => client.get(pod, { namespace: 'a', name }, never);
const nodeOf = (name: string) =>
  eventually(async () => {
    const { nodeName } = (await getPod(name)).spec;
    return nodeName !== undefined && nodeName !== '' && nodeName;
  });
const refusal = (name: string) =>
  eventually(async () => {
    const condition = findCondition((await getPod(name)).status?.conditions, 'PodScheduled');
    return condition?.status === 'False' && condition;
  });
const eventsOf = async (name: string) =>
  (await client.list(event, { namespace: 'a', fieldSelector: `involvedObject.name=${name}` }, never)).items;

describe('scheduling', () => {
  test('a pod gets a node, the condition and the event', async () => {
    await addNode('n1');
    start();
    await addPod('p');
    expect(await nodeOf('p')).toBe('n1');
    expect(findCondition((await getPod('p')).status?.conditions, 'PodScheduled')?.status).toBe('True');
    const [told] = await eventually(async () => {
      const events = await eventsOf('p');
      return events.length > 0 && events;
    });
    expect(told).toMatchObject({
      type: 'Normal',
      reason: 'Scheduled',
      message: 'Successfully assigned a/p to n1',
      reportingComponent: 'default-scheduler',
      action: 'Binding',
    });
    const text = await metrics.text();
    for (const point of ['PreFilter', 'Filter', 'Reserve', 'Permit', 'Bind']) {
      const labels = `extension_point="${point}",profile="default-scheduler",status="Success"`;
      expect(text).toContain(`\nscheduler_framework_extension_point_duration_seconds_count{${labels}} 1\n`);
    }
    // With one node there is nothing to score.
    expect(text).not.toContain('extension_point="Score"');
    expect(text).toContain('\nscheduler_pod_scheduling_sli_duration_seconds_bucket{attempts="1",le="5242.88"} 1\n');
    expect(text).toMatch(/scheduler_schedule_attempts_total\{profile="default-scheduler",result="scheduled"\} 1/);
  });

  test('a pod that fits nowhere says why, and goes when a node comes', async () => {
    await addNode('n1', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
    start();
    await addPod('p');
    const message =
      '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    expect(await refusal('p')).toMatchObject({ reason: 'Unschedulable', message });
    const [told] = await eventually(async () => {
      const events = await eventsOf('p');
      return events.length > 0 && events;
    });
    expect(told).toMatchObject({ type: 'Warning', reason: 'FailedScheduling', message });
    await addNode('n2');
    expect(await nodeOf('p')).toBe('n2');
  });

  test('no nodes at all', async () => {
    start();
    await addPod('p');
    expect(await refusal('p')).toMatchObject({ message: 'no nodes available to schedule pods' });
  });

  test('room that a pod leaves goes to one that waits; no node is ever overbooked', async () => {
    await addNode('n1', { allocatable: { cpu: '1' } });
    start();
    await Promise.all(['p1', 'p2', 'p3'].map((name) => addPod(name, wanting('400m'))));
    const placed = await eventually(async () => {
      const { items } = await client.list(pod, { namespace: 'a', fieldSelector: 'spec.nodeName=n1' }, never);
      return items.length === 2 && items.map(({ metadata }) => metadata.name ?? '');
    });
    const waiting = ['p1', 'p2', 'p3'].find((name) => !placed.includes(name)) ?? '';
    expect((await refusal(waiting)).message).toContain('1 Insufficient cpu');
    await client.delete(pod, { namespace: 'a', name: placed[0] ?? '' }, { gracePeriodSeconds: 0 }, never);
    expect(await nodeOf(waiting)).toBe('n1');
  });

  test('what a resize asks for that will never fit keeps no room, what it still has does', async () => {
    await addNode('n1', { allocatable: { cpu: '1' } });
    start();
    const big = await addPod('big', wanting('900m'));
    await nodeOf('big');
    await addPod('p', wanting('400m'));
    await refusal('p');
    const has = (cpu: string, conditions: object[]): Promise<unknown> => {
      const containerStatuses = [
        { name: 'c', image: 'x', imageID: '', ready: true, restartCount: 0, state: {}, resources: { requests: { cpu } } },
      ];
      const status = { conditions, containerStatuses };
      return client.patch(
        pod,
        { namespace: 'a', name: big.metadata.name ?? '' },
        { status },
        { type: 'merge', subresource: 'status' },
        never,
      );
    };
    const pending = { type: 'PodResizePending', status: 'True', reason: 'Infeasible', lastTransitionTime: null };
    await has('500m', [pending]);
    expect(await nodeOf('p')).toBe('n1');
  });

  test('a hundred pods spread evenly', async () => {
    for (const name of ['n1', 'n2', 'n3', 'n4']) await addNode(name);
    start();
    await Promise.all([...Array(100).keys()].map((at) => addPod(`p${at}`)));
    const items = await eventually(async () => {
      const found = (await client.list(pod, { namespace: 'a' }, never)).items;
      return found.every(({ spec }) => (spec.nodeName ?? '') !== '') && found;
    });
    const counts = Map.groupBy(items, ({ spec }) => spec.nodeName);
    expect([...counts.values()].map((pods) => pods.length)).toEqual([25, 25, 25, 25]);
  });

  test('gates, cordons and other schedulers are respected', async () => {
    await addNode('n1', { spec: { unschedulable: true } });
    start();
    await addPod('other', { schedulerName: 'somebody-else' });
    await addPod('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
    await addPod('plain');
    expect((await refusal('plain')).message).toContain('1 node(s) were unschedulable');
    await client.patch(node, { name: 'n1' }, { spec: { unschedulable: null } }, { type: 'merge' }, never);
    expect(await nodeOf('plain')).toBe('n1');
    await client.patch(pod, { namespace: 'a', name: 'gated' }, [{ op: 'remove', path: '/spec/schedulingGates' }], { type: 'json' }, never);
    expect(await nodeOf('gated')).toBe('n1');
    expect((await getPod('other')).spec.nodeName ?? '').toBe('');
  });

  test('what is not supported waits with a reason', async () => {
    await addNode('n1');
    start();
    await addPod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] });
    expect(await refusal('p')).toMatchObject({ reason: 'Unschedulable' });
    expect((await refusal('p')).message).toContain('persistentvolumeclaim "data" not found');
  });
});

describe('when binding goes wrong', () => {
  test('a failed binding gives the room back and is tried again', async () => {
    await addNode('n1', { allocatable: { cpu: '1' } });
    let failures = 1;
    const undone: string[] = [];
    const stumbles = definePlugin<undefined>({
      name: 'Stumbles',
      retryOn: [],
      reserve: (_pod, nodeName) => () => undone.push(nodeName),
      permit: async () => {
        if (failures-- > 0) throw new Error('not yet');
      },
    });
    const scheduler = start([stumbles]);
    await addPod('p', wanting('800m'));
    expect(await refusal('p')).toMatchObject({ reason: 'SchedulerError', message: 'running Permit plugin "Stumbles": not yet' });
    expect(await nodeOf('p')).toBe('n1');
    expect(undone).toEqual(['n1']);
    await eventually(() => !scheduler.queue.has('p'));
  });

  test('a pod that somebody else bound meanwhile is left alone', async () => {
    await addNode('n1');
    await addNode('n2');
    const held = Promise.withResolvers<void>();
    const holds = definePlugin<undefined>({ name: 'Holds', retryOn: [], permit: (...[, , signal]) => until(held.promise, signal) });
    const scheduler = start([holds]);
    const made = await addPod('p');
    await eventually(() => scheduler.queue.has(made.metadata.uid ?? ''));
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n2' } };
    await client.createSub(pod, { namespace: 'a', name: 'p' }, 'binding', binding, never);
    held.resolve();
    await eventually(() => !scheduler.queue.has(made.metadata.uid ?? ''));
    expect(await nodeOf('p')).toBe('n2');
  });

  test('a pod that goes while it is bound is forgotten', async () => {
    await addNode('n1', { allocatable: { cpu: '1' } });
    const held = Promise.withResolvers<void>();
    const holds = definePlugin<undefined>({
      name: 'Holds',
      retryOn: [],
      permit: ({ pod: { metadata } }, _node, signal) => (metadata.name === 'p1' ? until(held.promise, signal) : Promise.resolve()),
    });
    start([holds]);
    await addPod('p1', wanting('800m'));
    await addPod('p2', wanting('800m'));
    await refusal('p2');
    await client.delete(pod, { namespace: 'a', name: 'p1' }, { gracePeriodSeconds: 0 }, never);
    expect(await nodeOf('p2')).toBe('n1');
    held.resolve();
  });
});

describe('preemption', () => {
  test('a critical pod takes the place of a less important one, which is told why it goes', async () => {
    await addNode('n1', { allocatable: { cpu: '2' } });
    start();
    const victim = await addPod('low', wanting('1500m'));
    expect(await nodeOf('low')).toBe('n1');
    await client.create(namespace, { metadata: { name: 'kube-system' } }, {}, never).catch(() => undefined);
    const critical = await addPod('critical', { ...wanting('1500m'), priorityClassName: 'system-cluster-critical' });
    const going = await eventually(async () => {
      const found = await getPod('low');
      return found.metadata.deletionTimestamp !== undefined && found;
    });
    expect(findCondition(going.status?.conditions, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    });
    expect(await refusal('critical')).toMatchObject({ reason: 'Unschedulable', message: '0/1 nodes are available: 1 Insufficient cpu.' });
    await eventually(async () => (await getPod('critical')).status?.nominatedNodeName === 'n1');
    const told = await eventually(async () => (await eventsOf('low')).find(({ reason }) => reason === 'Preempted'));
    expect(told).toMatchObject({ type: 'Normal', message: `Preempted by pod ${critical.metadata.uid} on node n1` });
    const figures = await metrics.text();
    expect(figures).toMatch(/^scheduler_preemption_attempts_total [1-9]/m);
    expect(figures).toMatch(/^scheduler_preemption_victims_bucket\{le="1"\} [1-9]/m);
    // Nobody of the same importance or less gets the room in between.
    await addPod('small', wanting('1'));
    await client.delete(pod, { namespace: 'a', name: 'low' }, { uid: victim.metadata.uid, gracePeriodSeconds: 0 }, never);
    expect(await nodeOf('critical')).toBe('n1');
    expect((await refusal('small')).message).toContain('1 Insufficient cpu');
  });
});
