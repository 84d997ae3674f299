// Whole kubelets over a simulated runtime, on a node that is full when a critical pod comes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import type { Program } from '../runtime/simulated/program.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster, type TestKubelet } from '../testing.ts';

const { signal } = new AbortController();
const critical = 2_000_000_000;
const key = (name: string) => ({ namespace: 'default', name });
let cluster: TestCluster;
let kubelet: TestKubelet;
/** What begins and ends, in its order. */
const told: string[] = [];

const program: Program = async ({ command, terminated, killed }) => {
  told.push(`${command[1]} begins`);
  await terminated;
  for (let turn = 0; turn < 100 && !killed.aborted; turn++) await new Promise((resolve) => setImmediate(resolve));
  told.push(`${command[1]} ends`);
  return 0;
};

beforeAll(async () => {
  cluster = await startTestCluster();
  // It has eight CPUs.
  kubelet = await startTestKubelet(cluster, {
    runtime: new SimulatedRuntime(systemClock, { anyImage: true, programs: { serve: program } }),
  });
});
afterAll(async () => {
  await kubelet[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function make(name: string, cpu: string, priority = 0): Promise<void> {
  const containers = [{ name: 'c', image: 'app', command: ['serve', name], resources: { requests: { cpu } } }];
  await cluster.client.create(podKind, { metadata: key(name), spec: { nodeName: testNode, containers, priority } }, {}, signal);
}
const when = (name: string, isSo: (pod: Pod) => boolean, why: string): Promise<Pod> =>
  eventually(async () => {
    const found = await cluster.client.get(podKind, key(name), signal);
    return isSo(found) ? found : undefined;
  }, why);
const isRunning = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.state?.running !== undefined;
const isFailed = ({ status }: Pod): boolean => status?.phase === 'Failed';

test('others make way for a critical pod, which begins when they have ended; what cannot be helped is refused', async () => {
  await make('small', '2');
  await make('big', '5');
  await when('small', isRunning, 'a pod that runs');
  await when('big', isRunning, 'a pod that runs');
  await make('plain', '2');
  expect((await when('plain', isFailed, 'its refusal')).status?.reason).toBe('OutOfcpu');

  await make('vital', '4', critical);
  const vital = await when('vital', isRunning, 'the critical one to run');
  expect(vital.status?.phase).toBe('Running');
  expect(told.slice(2)).toEqual(['big ends', 'vital begins']);
  const big = await when('big', isFailed, 'the one that made way to have failed');
  expect(big.status).toMatchObject({ reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
  expect(big.status?.conditions).toContainEqual(
    expect.objectContaining({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
    }),
  );
  await eventually(async () => {
    const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: 'involvedObject.name=big' }, signal);
    return items.some(({ type, reason }) => type === 'Warning' && reason === 'Preempting');
  }, 'an event');

  await make('vast', '100', critical + 1);
  expect((await when('vast', isFailed, 'its refusal')).status).toMatchObject({
    reason: 'UnexpectedAdmissionError',
    message: expect.stringMatching(
      /^Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: \[\(res: cpu, q: \d+\), \]$/,
    ) as string,
  });
  expect(isRunning(await cluster.client.get(podKind, key('small'), signal))).toBe(true);
});
