import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ResourceRequirements } from '#api/generated/types.ts';
import { systemClock } from '#base/clock.ts';
import { RuntimeError } from '../../runtime/contract.ts';
import { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster } from '../../testing.ts';

const signal = new AbortController().signal;
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
const amounts = (cpu: string, memory: string): V1ResourceRequirements => ({ requests: { cpu, memory }, limits: { cpu, memory } });
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());
// All tests share one node: what one leaves would take the place of the next one's pods.
afterEach(async () => {
  const { items } = await cluster.client.list(podKind, { namespace: 'default' }, signal);
  for (const { metadata } of items) await cluster.client.delete(podKind, key(metadata.name ?? ''), { gracePeriodSeconds: 0 }, signal);
});

async function makePod(name: string, resources: V1ResourceRequirements, rest: Partial<V1Container> = {}): Promise<void> {
  const spec = { nodeName: testNode, terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'app', resources, ...rest }] };
  await cluster.client.create(podKind, { metadata: key(name), spec }, {}, signal);
}
async function resize(name: string, resources: V1ResourceRequirements): Promise<void> {
  const patch = { spec: { containers: [{ name: 'c', resources }] } };
  await cluster.client.patch(podKind, key(name), patch, { type: 'strategic', subresource: 'resize' }, signal);
}
async function podWhen(name: string, isSo: (pod: Pod) => boolean, why: string): Promise<Pod> {
  let last: Pod | undefined;
  return await eventually(async () => {
    last = await cluster.client.get(podKind, key(name), signal).catch(() => undefined);
    return last !== undefined && isSo(last) ? last : undefined;
  }, why).catch((error: unknown) => {
    throw new Error(`${String(error)}; last seen: ${JSON.stringify(last?.status, null, 1)}`);
  });
}
const first = (pod: Pod): NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number] | undefined =>
  pod.status?.containerStatuses?.[0];
const cpuOf = (pod: Pod): string | undefined => first(pod)?.resources?.limits?.['cpu'];
const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type);
const isRunning = (pod: Pod): boolean => first(pod)?.ready === true;
const isIdle = (pod: Pod): boolean =>
  conditionOf(pod, 'PodResizePending') === undefined && conditionOf(pod, 'PodResizeInProgress') === undefined;
async function told(runtime: SimulatedRuntime, pod: Pod): Promise<object | undefined> {
  return (await runtime.podStatus(pod.metadata.uid ?? ''))?.containers[0]?.resources;
}
async function eventsOf(name: string, reason: string): Promise<string[]> {
  const found = await eventually(async () => {
    const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
    const those = items.filter((one) => one.reason === reason);
    return those.length > 0 && those;
  }, `an event ${reason}`);
  return found.map(({ message = '' }) => message);
}

test('a running container is given other resources without a restart', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  await using _ = await startTestKubelet(cluster, { runtime });
  await makePod('grows', amounts('1', '64Mi'));
  const before = await podWhen('grows', isRunning, 'a running pod');
  expect(first(before)).toMatchObject({ allocatedResources: { cpu: '1', memory: '64Mi' }, resources: amounts('1', '64Mi') });
  await resize('grows', amounts('2', '128Mi'));
  const after = await podWhen('grows', (pod) => cpuOf(pod) === '2' && isIdle(pod), 'the new limit');
  expect(first(after)).toMatchObject({
    containerID: first(before)?.containerID,
    restartCount: 0,
    allocatedResources: { cpu: '2', memory: '128Mi' },
    resources: amounts('2', '128Mi'),
  });
  expect(await told(runtime, after)).toMatchObject({ cpuShares: 2_048, cpuQuotaMicros: 200_000, memoryBytes: 2 ** 27 });
  const summary =
    '{"containers":[{"name":"c","resources":{"limits":{"cpu":"2","memory":"128Mi"},"requests":{"cpu":"2","memory":"128Mi"}}}],"generation":2}';
  expect(await eventsOf('grows', 'ResizeStarted')).toEqual([`Pod resize started: ${summary}`]);
  expect(await eventsOf('grows', 'ResizeCompleted')).toEqual([`Pod resize completed: ${summary}`]);
});

test('a container is restarted for it where its policy says so', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  await using _ = await startTestKubelet(cluster, { runtime });
  await makePod('restarts', amounts('1', '64Mi'), { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] });
  await podWhen('restarts', isRunning, 'a running pod');
  await resize('restarts', amounts('2', '64Mi'));
  await podWhen('restarts', (pod) => cpuOf(pod) === '2' && isIdle(pod) && first(pod)?.restartCount === 0, 'more CPU without a restart');
  await resize('restarts', amounts('2', '128Mi'));
  const after = await podWhen('restarts', (pod) => first(pod)?.restartCount === 1 && isRunning(pod), 'a restart');
  expect(await told(runtime, after)).toMatchObject({ memoryBytes: 2 ** 27 });
});

test('what does not fit waits for room, what never will says so, over a kill of the kubelet', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  const kubelet = await startTestKubelet(cluster, { runtime });
  await makePod('other', amounts('5', '64Mi'));
  await makePod('waits', amounts('1', '64Mi'));
  await podWhen('other', isRunning, 'the other pod');
  await podWhen('waits', isRunning, 'a running pod');
  await resize('waits', amounts('99', '64Mi'));
  const never = await podWhen('waits', (pod) => conditionOf(pod, 'PodResizePending')?.reason === 'Infeasible', 'a refusal');
  expect(conditionOf(never, 'PodResizePending')).toMatchObject({
    status: 'True',
    observedGeneration: 2,
    message: "Node didn't have enough capacity: cpu, requested: 99000, capacity: 8000",
  });
  await resize('waits', amounts('4', '64Mi'));
  const later = await podWhen('waits', (pod) => conditionOf(pod, 'PodResizePending')?.reason === 'Deferred', 'a deferral');
  expect(conditionOf(later, 'PodResizePending')?.message).toMatch(
    /^Node didn't have enough resource: cpu, requested: 4000, used: \d+, capacity: 8000$/,
  );
  expect(first(later)).toMatchObject({ allocatedResources: { cpu: '1', memory: '64Mi' }, resources: amounts('1', '64Mi') });
  await kubelet.kill();

  await using _ = await startTestKubelet(cluster, { runtime, rootDir: kubelet.rootDir, mounter: kubelet.mounter });
  await makePod('probe', amounts('100m', '64Mi'));
  await podWhen('probe', isRunning, 'a pod of the new kubelet');
  expect(await told(runtime, later)).toMatchObject({ cpuShares: 1_024, cpuQuotaMicros: 100_000 });
  await cluster.client.delete(podKind, key('other'), {}, signal);
  const after = await podWhen('waits', (pod) => cpuOf(pod) === '4' && isIdle(pod), 'what it asked for');
  expect(await told(runtime, after)).toMatchObject({ cpuShares: 4_096, cpuQuotaMicros: 400_000 });
  expect(first(after)?.restartCount).toBe(0);
});

test('memory in use is not taken away, and an engine that fails is asked again', async () => {
  let usedBytes = 2 ** 27;
  let hasFailed = false;
  const runtime = new SimulatedRuntime(systemClock, {
    anyImage: true,
    memoryUsage: () => usedBytes,
    fault: (operation) => {
      if (operation !== 'updateResources' || hasFailed) return undefined;
      hasFailed = true;
      return new RuntimeError('Refused', 'the engine is tired');
    },
  });
  await using _ = await startTestKubelet(cluster, { runtime });
  await makePod('shrinks', amounts('1', '256Mi'));
  await podWhen('shrinks', isRunning, 'a running pod');
  await resize('shrinks', amounts('1', '64Mi'));
  const refused = await podWhen('shrinks', (pod) => conditionOf(pod, 'PodResizeInProgress')?.reason === 'Error', 'an error');
  expect(conditionOf(refused, 'PodResizeInProgress')).toMatchObject({
    observedGeneration: 2,
    message:
      'cannot decrease memory limits: [attempting to set pod memory limit (67108864) below current usage (134217728), ' +
      'attempting to set container "c" memory limit (67108864) below current usage (134217728)]',
  });
  expect(first(refused)).toMatchObject({
    allocatedResources: { cpu: '1', memory: '64Mi' },
    resources: { limits: { cpu: '1', memory: '256Mi' } },
  });
  usedBytes = 2 ** 20;
  const after = await podWhen('shrinks', (pod) => first(pod)?.resources?.limits?.['memory'] === '64Mi' && isIdle(pod), 'the lower limit');
  expect(await told(runtime, after)).toMatchObject({ memoryBytes: 2 ** 26 });
  expect(hasFailed).toBe(true);
  expect(await eventsOf('shrinks', 'ResizeError')).toHaveLength(2);
});
