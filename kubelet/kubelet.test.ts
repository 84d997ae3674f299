import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { node } from '#api/core/node/node.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { createLog } from '#base/log.ts';
import { SimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster } from './testing.ts';

const signal = new AbortController().signal;
let cluster: TestCluster;
let next = 0;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
async function makePod(spec: Partial<Pod['spec']> = {}): Promise<string> {
  const name = `p${next++}`;
  const containers = [{ name: 'c', image: 'app' }];
  await cluster.client.create(podKind, { metadata: key(name), spec: { containers, nodeName: testNode, ...spec } }, {}, signal);
  return name;
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
const condition = (pod: Pod, type: string): string | undefined => pod.status?.conditions?.find((one) => one.type === type)?.status;
const log = createLog('test', process.env['COXSWAIN_LOG_LEVEL'] === undefined ? 'silent' : 'debug');

describe('a kubelet', () => {
  test('registers its node and reports it ready', async () => {
    const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
    await using _ = await startTestKubelet(cluster, { runtime, log });
    const found = await eventually(async () => {
      const got = await cluster.client.get(node, { name: testNode }, signal).catch(() => undefined);
      return got?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? got : undefined;
    }, 'a ready node');
    expect(found.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': testNode, 'kubernetes.io/arch': 'amd64' });
    expect(found.status?.capacity).toMatchObject({ cpu: '8', pods: '110', memory: '16Gi' });
    expect(found.spec?.podCIDR).toBe('10.244.0.0/24');
  });

  test('runs a pod, and ends it when it is deleted', async () => {
    const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
    await using kubelet = await startTestKubelet(cluster, { runtime, log });
    const name = await makePod();
    const running = await podWhen(name, (one) => condition(one, 'Ready') === 'True', 'a ready pod');
    expect(running.status).toMatchObject({ phase: 'Running', hostIP: '192.168.7.1', qosClass: 'BestEffort' });
    expect(running.status?.podIP).toMatch(/^10\.244\.0\./);
    expect(running.status?.containerStatuses?.[0]).toMatchObject({ name: 'c', ready: true, started: true, restartCount: 0, image: 'app' });
    expect(running.status?.containerStatuses?.[0]?.containerID).toMatch(/^simulated:\/\//);
    await cluster.client.delete(podKind, key(name), {}, signal);
    await eventually(
      async () =>
        await cluster.client.get(podKind, key(name), signal).then(
          () => false as const,
          () => true,
        ),
      'the pod to go',
    );
    expect(await runtime.pods()).toEqual([]);
    expect(kubelet.mounter.mounted.size).toBe(0);
    const events = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
    const reasons = new Set(events.items.map(({ reason }) => reason));
    expect([...reasons].sort()).toEqual(expect.arrayContaining(['Created', 'Killing', 'Pulled', 'Started']));
  });
});
