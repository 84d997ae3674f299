// Whole kubelets over a simulated runtime, on a node that runs out of things.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { node as nodeKind } from '#api/core/node/node.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { Measurements } from '../node/measure.ts';
import { SimulatedRuntime, type SimulatedRuntimeOptions } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, plenty, startTestCluster, startTestKubelet, testNode, type TestCluster, type TestKubelet } from '../testing.ts';

const signal = new AbortController().signal;
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
const mebibytes = 2 ** 20;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());
afterEach(async () => {
  const { items } = await cluster.client.list(podKind, { namespace: 'default' }, signal);
  for (const { metadata } of items) await cluster.client.delete(podKind, key(metadata.name ?? ''), { gracePeriodSeconds: 0 }, signal);
  await cluster.client.delete(nodeKind, { name: testNode }, {}, signal);
});

interface Scene extends AsyncDisposable {
  readonly runtime: SimulatedRuntime;
  /** What the node has from now on. */
  left: Measurements;
  /** Moves time on until it is so. */
  until<T>(look: () => Promise<T | undefined | false>, why: string, stepMs?: number): Promise<T>;
  podWhen(name: string, isSo: (pod: Pod) => boolean, why: string): Promise<Pod>;
}

async function scene(options: SimulatedRuntimeOptions = {}): Promise<Scene> {
  const clock = new FakeClock(Date.now());
  const runtime = new SimulatedRuntime(clock, { anyImage: true, ...options });
  const kubelet: TestKubelet = await startTestKubelet(cluster, { runtime, clock, measure: () => Promise.resolve(made.left) });
  const until: Scene['until'] = async (look, why, stepMs = 500) =>
    await eventually(async () => {
      await clock.advance(stepMs);
      return await look();
    }, why);
  const made: Scene = {
    runtime,
    left: plenty,
    until,
    podWhen: async (name, isSo, why) =>
      await until(async () => {
        const found = await cluster.client.get(podKind, key(name), signal).catch(() => undefined);
        return found !== undefined && isSo(found) && found;
      }, why),
    [Symbol.asyncDispose]: () => kubelet[Symbol.asyncDispose](),
  };
  return made;
}

async function makePod(name: string, spec: Partial<Pod['spec']> = {}): Promise<void> {
  const containers = [{ name, image: 'app' }];
  await cluster.client.create(podKind, { metadata: key(name), spec: { containers, nodeName: testNode, ...spec } }, {}, signal);
}
const isRunning = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.ready === true;
const isFailed = ({ status }: Pod): boolean => status?.phase === 'Failed';
const memoryLeft = (availableBytes: number): Measurements => ({
  ...plenty,
  memory: { availableBytes, workingSetBytes: 2 ** 33, usageBytes: 2 ** 33 },
});
async function conditionOf(type: string): Promise<string | undefined> {
  const found = await cluster.client.get(nodeKind, { name: testNode }, signal);
  return found.status?.conditions?.find((one) => one.type === type)?.status;
}
async function eventOf(name: string, reason: string) {
  return await eventually(async () => {
    const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
    return items.find((one) => one.reason === reason);
  }, `an event ${reason} of ${name}`);
}

test('for want of memory the pod farthest above its request ends; the node says so, and takes no more best-effort pods', async () => {
  const used: Record<string, number> = { big: 300 * mebibytes, small: 20 * mebibytes };
  await using stage = await scene({ memoryUsage: (name) => used[name] ?? 0 });
  await makePod('small');
  await makePod('big', { terminationGracePeriodSeconds: 600 });
  await stage.podWhen('small', isRunning, 'a pod that runs');
  await stage.podWhen('big', isRunning, 'a pod that runs');

  stage.left = memoryLeft(50 * mebibytes);
  const evicted = await stage.podWhen('big', isFailed, 'the big one to be evicted');
  const message =
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container big was using 300Mi, request is 0, has larger consumption of memory. ';
  expect(evicted.status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message });
  expect(evicted.status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }),
  );
  expect(evicted.status?.containerStatuses?.[0]?.state?.terminated).toBeDefined();
  stage.left = plenty;
  const told = await eventOf('big', 'Evicted');
  expect(told).toMatchObject({ type: 'Warning', message });
  expect(told.metadata.annotations).toEqual({
    offending_containers: 'big',
    offending_containers_usage: '300Mi',
    starved_resource: 'memory',
  });
  expect((await eventOf(testNode, 'EvictionThresholdMet')).message).toBe('Attempting to reclaim memory');
  await stage.until(async () => (await conditionOf('MemoryPressure')) === 'True', 'the condition');

  await makePod('late');
  const late = await stage.podWhen('late', isFailed, 'the late one to be refused');
  expect(late.status).toMatchObject({ reason: 'Evicted', message: 'Pod was rejected: The node had condition: [MemoryPressure]. ' });
  await makePod('asking', { containers: [{ name: 'asking', image: 'app', resources: { requests: { memory: '1Mi' } } }] });
  await stage.podWhen('asking', isRunning, 'one that asks for memory to be taken');
  const small = await cluster.client.get(podKind, key('small'), signal);
  expect(small.status?.phase).toBe('Running');
  await stage.until(async () => (await conditionOf('MemoryPressure')) === 'False', 'the condition to go after five minutes', 5_000);
});

test('a pod that fills its volume is ended, and one that keeps within its limit is not', async () => {
  await using stage = await scene({ storage: (name) => ({ written: { usedBytes: name === 'greedy' ? 6e6 : 4e6 }, logFile: undefined }) });
  const limited = (name: string) => [{ name, image: 'app', resources: { limits: { 'ephemeral-storage': '5M' } } }];
  await makePod('modest', { containers: limited('modest') });
  await makePod('greedy', { containers: limited('greedy') });
  const evicted = await stage.podWhen('greedy', isFailed, 'the greedy one to be evicted');
  expect(evicted.status).toMatchObject({
    reason: 'Evicted',
    message: 'Pod ephemeral local storage usage exceeds the total limit of containers 5M. ',
  });
  expect(evicted.status?.conditions?.map(({ type }) => type)).not.toContain('DisruptionTarget');
  const modest = await stage.podWhen('modest', isRunning, 'the modest one');
  expect(modest.status?.phase).toBe('Running');
});

test('for want of disk dead containers go first; that is enough, so no pod ends', async () => {
  await using stage = await scene({ programs: { done: () => Promise.resolve(0) } });
  await makePod('stays');
  await makePod('done', { restartPolicy: 'Never', containers: [{ name: 'done', image: 'done' }] });
  await stage.podWhen('stays', isRunning, 'a pod that runs');
  await stage.podWhen('done', ({ status }) => status?.phase === 'Succeeded', 'a pod that is over');
  const hasDead = async (): Promise<boolean> => (await stage.runtime.pods()).some(({ pod }) => pod.name === 'done');
  await stage.until(hasDead, 'its container');
  const disk = { ...plenty.disk, availableBytes: 2 ** 30 };
  const full: Measurements = { ...plenty, disk, imageDisk: disk };
  Object.defineProperty(stage, 'left', { get: () => (stage.runtime.size > 1 ? full : plenty) });
  await stage.until(async () => !(await hasDead()), 'it to be removed');
  const over = await cluster.client.get(podKind, key('done'), signal);
  expect(over.status).toMatchObject({ phase: 'Succeeded', containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] });
  await stage.until(async () => (await conditionOf('DiskPressure')) === 'True', 'the condition');
  expect((await cluster.client.get(podKind, key('stays'), signal)).status?.phase).toBe('Running');
});
