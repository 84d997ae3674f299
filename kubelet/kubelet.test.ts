import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { event } from '#api/core/event/event.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { aborted } from '#base/lifecycle.ts';
import { createLog } from '#base/log.ts';
import { endsAfter } from './runtime/simulated/program.ts';
import { SimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster, type TestKubelet } from './testing.ts';

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
async function reasonsOf(name: string): Promise<Set<string | undefined>> {
  const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
  return new Set(items.map(({ reason }) => reason));
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
    const reasons = await reasonsOf(name);
    for (const reason of ['Pulled', 'Created', 'Started', 'Killing']) expect(reasons).toContain(reason);
  });
});

describe('pods', () => {
  const runtime = new SimulatedRuntime(systemClock, {
    anyImage: true,
    images: ['local'],
    programs: {
      ok: endsAfter(5, 0),
      crash: endsAfter(5, 3),
      deaf: async ({ killed }) => {
        await aborted(killed);
        return 137;
      },
    },
  });
  let kubelet: TestKubelet;
  beforeAll(async () => {
    kubelet = await startTestKubelet(cluster, { runtime, log });
  });
  afterAll(async () => await kubelet[Symbol.asyncDispose]());
  const command = (word: string): Pod['spec']['containers'][number] => ({ name: 'c', image: 'app', command: [word] });
  const first = (pod: Pod): NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number] | undefined =>
    pod.status?.containerStatuses?.[0];
  const isGone = async (name: string): Promise<boolean> =>
    await cluster.client.get(podKind, key(name), signal).then(
      () => false,
      () => true,
    );

  test('init containers run one after the other, before the rest', async () => {
    const name = await makePod({
      initContainers: [
        { ...command('ok'), name: 'i' },
        { ...command('ok'), name: 'j' },
      ],
    });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    const times = (pod.status?.initContainerStatuses ?? []).map(({ state }) => state?.terminated?.exitCode);
    expect(times).toEqual([0, 0]);
    const seen = await runtime.podStatus(pod.metadata.uid ?? '');
    const inOrder = (seen?.containers ?? []).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    expect(inOrder.map((one) => one.name)).toEqual(['i', 'j', 'c']);
  });

  test('one that crashes is restarted at once, then waits', async () => {
    const name = await makePod({ containers: [command('crash')] });
    const pod = await podWhen(name, (one) => first(one)?.state?.waiting?.reason === 'CrashLoopBackOff', 'a crash loop');
    expect(first(pod)).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 3, reason: 'Error' } } });
    const where = `${name}_default(${pod.metadata.uid})`;
    expect(first(pod)?.state?.waiting?.message).toBe(`back-off 10s restarting failed container=c pod=${where}`);
    expect(pod.status?.phase).toBe('Running');
  });

  test.each([
    ['ok', 'Succeeded', 'PodCompleted'],
    ['crash', 'Failed', 'PodFailed'],
  ])('one that runs once: %s', async (word, phase, reason) => {
    const name = await makePod({ restartPolicy: 'Never', containers: [command(word)] });
    const pod = await podWhen(name, (one) => one.status?.phase === phase, phase);
    expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason });
    const uid = pod.metadata.uid ?? '';
    await eventually(async () => (await runtime.podStatus(uid))?.sandboxes[0]?.state === 'notReady', 'the sandbox to end');
    expect((await runtime.podStatus(uid))?.containers).toHaveLength(1);
    await cluster.client.delete(podKind, key(name), {}, signal);
    await eventually(() => isGone(name), 'the pod to go');
    await eventually(async () => (await runtime.podStatus(uid)) === undefined, 'its containers to go');
  });

  test('a rule of its own brings a container back, where the pod never restarts', async () => {
    const restartPolicyRules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [3] } }];
    const name = await makePod({
      restartPolicy: 'Never',
      containers: [{ ...command('crash'), restartPolicy: 'Never', restartPolicyRules }],
    });
    const pod = await podWhen(name, (one) => first(one)?.state?.waiting?.reason === 'CrashLoopBackOff', 'a crash loop');
    expect(first(pod)?.restartCount).toBe(1);
    expect(pod.status?.phase).toBe('Running');
    await cluster.client.delete(podKind, key(name), { gracePeriodSeconds: 0 }, signal);
  });

  test('a rule of one container starts all of them again, in the same sandbox', async () => {
    const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [3] } }];
    const name = await makePod({
      restartPolicy: 'Never',
      initContainers: [{ ...command('ok'), name: 'i' }],
      containers: [
        { name: 'r', image: 'app' },
        { ...command('crash'), restartPolicy: 'Never', restartPolicyRules },
      ],
    });
    // At once the first time, then it waits: all of them.
    const reason = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[1]?.state?.waiting?.reason;
    const pod = await podWhen(name, (one) => reason(one) === 'CrashLoopBackOff', 'a third round that waits');
    expect(condition(pod, 'AllContainersRestarting')).toBe('True');
    const seen = await runtime.podStatus(pod.metadata.uid ?? '');
    expect(seen?.sandboxes).toHaveLength(1);
    const attempts = new Map(seen?.containers.map((one) => [`${one.name}.${one.attempt}`, one.state]));
    expect([...attempts.keys()].toSorted()).toEqual(['c.0', 'c.1', 'i.0', 'i.1', 'r.0', 'r.1']);
    await cluster.client.delete(podKind, key(name), { gracePeriodSeconds: 0 }, signal);
  });

  test('a missing config map holds a container up until it comes', async () => {
    const name = await makePod({ containers: [{ ...command('run'), envFrom: [{ configMapRef: { name: 'late' } }] }] });
    const waiting = await podWhen(name, (one) => first(one)?.state?.waiting?.reason === 'CreateContainerConfigError', 'an error');
    expect(first(waiting)?.state?.waiting?.message).toBe('configmap "late" not found');
    await cluster.client.create(configMap, { metadata: key('late'), data: { A: 'b' } }, {}, signal);
    await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
  });

  test('config maps arrive in the volume, and so do their changes', async () => {
    await cluster.client.create(configMap, { metadata: key('files'), data: { a: 'one' } }, {}, signal);
    const mounts = [{ name: 'v', mountPath: '/v' }];
    const name = await makePod({
      containers: [{ ...command('run'), volumeMounts: mounts }],
      volumes: [{ name: 'v', configMap: { name: 'files' } }],
    });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    const file = join(kubelet.rootDir, 'pods', pod.metadata.uid ?? '', 'volumes/kubernetes.io~configmap/v/a');
    expect(await readFile(file, 'utf8')).toBe('one');
    await cluster.client.patch(configMap, key('files'), { data: { a: 'two' } }, { type: 'merge' }, signal);
    await eventually(async () => (await readFile(file, 'utf8')) === 'two', 'the new content');

    // What cannot be written now, as on a full disk, is written later, though nothing else changes.
    const folder = dirname(file);
    await rename(folder, `${folder}-away`);
    await writeFile(folder, '');
    await cluster.client.patch(configMap, key('files'), { data: { a: 'three' } }, { type: 'merge' }, signal);
    await eventually(async () => (await reasonsOf(name)).has('FailedMount'), 'an event');
    await rm(folder);
    await rename(`${folder}-away`, folder);
    await eventually(async () => (await readFile(file, 'utf8')) === 'three', 'the newest content');
  });

  test('the files of an image as a volume', async () => {
    const container = { ...command('run'), volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const name = await makePod({
      containers: [container],
      volumes: [{ name: 'v', image: { reference: 'files:1', pullPolicy: 'Always' } }],
    });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    const path = join(kubelet.rootDir, 'pods', pod.metadata.uid ?? '', 'volumes/kubernetes.io~image/v');
    expect([...kubelet.mounter.mounted]).toContain(path);
    await cluster.client.delete(podKind, key(name), {}, signal);
    await eventually(async () => !kubelet.mounter.mounted.has(path), 'it is gone');
  });

  test('a folder of an NFS server', async () => {
    const name = await makePod({ volumes: [{ name: 'v', nfs: { server: '192.0.2.1', path: '/exports' } }] });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    expect([...kubelet.mounter.mounted]).toContain(join(kubelet.rootDir, 'pods', pod.metadata.uid ?? '', 'volumes/kubernetes.io~nfs/v'));
  });

  test('an image for a volume that is not there', async () => {
    const container = { ...command('run'), volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const name = await makePod({ containers: [container], volumes: [{ name: 'v', image: { reference: 'absent', pullPolicy: 'Never' } }] });
    const known = await podWhen(name, (one) => first(one)?.state?.waiting?.reason === 'ErrImageNeverPull', 'an error');
    expect(first(known)?.state?.waiting?.message).toBe('Container image "absent" is not present with pull policy of Never');
  });

  test('volumes of unknown kinds are refused in words', async () => {
    const name = await makePod({ volumes: [{ name: 'v', cephfs: { monitors: ['m'] } }] });
    const said = await eventually(async () => {
      const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
      return items.find(({ reason }) => reason === 'FailedMount');
    }, 'an event');
    expect(said.message).toBe('MountVolume.SetUp failed for volume "v" : volumes of the kind cephfs are not supported by this node yet');
  });

  test('what its engine cannot give is refused in words', async () => {
    const name = await makePod({ hostUsers: false });
    const said = await eventually(async () => {
      const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
      return items.find(({ reason }) => reason === 'FailedCreatePodSandBox');
    }, 'an event');
    expect(said.message).toBe('Failed to create pod sandbox: RuntimeClass handler "" does not support user namespaces');
  });

  test('an image that is not there', async () => {
    const name = await makePod({ containers: [{ name: 'c', image: 'absent', imagePullPolicy: 'Never' }] });
    const known = await podWhen(name, (one) => first(one)?.state?.waiting?.reason === 'ErrImageNeverPull', 'an error');
    expect(first(known)?.state?.waiting?.message).toBe('Container image "absent" is not present with pull policy of Never');
  });

  test('a pull secret that is not there is told of, and holds nothing up', async () => {
    const imagePullSecrets = [{ name: '' }, { name: 'none' }, { name: 'nor-this' }];
    const name = await makePod({ imagePullSecrets });
    await podWhen(name, (one) => condition(one, 'Ready') === 'True', 'a ready pod');
    const found = await eventually(async () => {
      const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
      return items.find(({ reason }) => reason === 'FailedToRetrieveImagePullSecret');
    }, 'the event');
    expect(found).toMatchObject({
      type: 'Warning',
      message: 'Unable to retrieve some image pull secrets (none, nor-this); attempting to pull the image may not succeed.',
    });
    expect(found.involvedObject.fieldPath).toBeUndefined();
  });

  test('one that asks for more than there is', async () => {
    const name = await makePod({ containers: [{ ...command('run'), resources: { requests: { cpu: '9' } } }] });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Failed', 'a rejected pod');
    expect(pod.status).toMatchObject({ reason: 'OutOfcpu' });
    expect(pod.status?.message).toMatch(
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 9000, used: \d+, capacity: 8000$/,
    );
  });

  test('one that was deleted by force keeps no room from others, though it still runs', async () => {
    const resources = { requests: { cpu: '5' } };
    const first = await makePod({ terminationGracePeriodSeconds: 600, containers: [{ ...command('deaf'), resources }] });
    const { metadata } = await podWhen(first, (one) => one.status?.phase === 'Running', 'a running pod');
    await cluster.client.delete(podKind, key(first), { gracePeriodSeconds: 0 }, signal);
    const next = await makePod({ containers: [{ name: 'c', image: 'app', resources }] });
    await podWhen(next, (one) => one.status?.phase === 'Running', 'the next to run');
    await eventually(async () => (await runtime.podStatus(metadata.uid ?? '')) === undefined, 'the first to end');
    await cluster.client.delete(podKind, key(next), { gracePeriodSeconds: 0 }, signal);
  });

  test('one that is past its deadline', async () => {
    const name = await makePod({ activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1, containers: [command('run')] });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Failed', 'a failed pod');
    expect(pod.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  test('a shorter grace period counts at once', async () => {
    const name = await makePod({ containers: [command('deaf')] });
    await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    await cluster.client.delete(podKind, key(name), { gracePeriodSeconds: 600 }, signal);
    await cluster.client.delete(podKind, key(name), { gracePeriodSeconds: 1 }, signal);
    await eventually(() => isGone(name), 'the pod to go');
  });

  test('one that is deleted by force ends too', async () => {
    const name = await makePod({ terminationGracePeriodSeconds: 1 });
    const pod = await podWhen(name, (one) => one.status?.phase === 'Running', 'a running pod');
    await cluster.client.delete(podKind, key(name), { gracePeriodSeconds: 0 }, signal);
    await eventually(async () => (await runtime.podStatus(pod.metadata.uid ?? '')) === undefined, 'its containers to go');
  });
});

describe('a kubelet that was killed', () => {
  test('adopts what runs, and ends what nobody asks for any more', async () => {
    const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
    const before = await startTestKubelet(cluster, { runtime, log });
    const [kept, lost] = [await makePod(), await makePod({ terminationGracePeriodSeconds: 1 })];
    const isReady = (one: Pod): boolean => condition(one, 'Ready') === 'True';
    const keptBefore = await podWhen(kept, isReady, 'a ready pod');
    const lostBefore = await podWhen(lost, isReady, 'another');
    await before.kill();
    await cluster.client.delete(podKind, key(lost), { gracePeriodSeconds: 0 }, signal);

    await using _ = await startTestKubelet(cluster, { runtime, log, rootDir: before.rootDir, mounter: before.mounter });
    await eventually(async () => (await runtime.podStatus(lostBefore.metadata.uid ?? '')) === undefined, 'the orphan to end');
    const keptAfter = await podWhen(kept, isReady, 'the ready pod');
    expect(keptAfter.status?.containerStatuses).toEqual(keptBefore.status?.containerStatuses);
    expect(keptAfter.status?.conditions).toEqual(keptBefore.status?.conditions);
    expect((await runtime.podStatus(keptBefore.metadata.uid ?? ''))?.containers).toHaveLength(1);
  });

  test('gives the room of pods that are over to others from the start', async () => {
    const runtime = new SimulatedRuntime(systemClock, { anyImage: true, programs: { ok: endsAfter(5, 0) } });
    const before = await startTestKubelet(cluster, { runtime, log });
    const resources = { requests: { cpu: '5' } };
    const over = await makePod({ restartPolicy: 'Never', containers: [{ name: 'c', image: 'app', command: ['ok'], resources }] });
    await podWhen(over, (one) => one.status?.phase === 'Succeeded', 'a pod that is over');
    await before[Symbol.asyncDispose]();
    const next = await makePod({ containers: [{ name: 'c', image: 'app', resources }] });
    await using _ = await startTestKubelet(cluster, { runtime, log });
    const pod = await podWhen(next, (one) => one.status?.phase !== 'Pending', 'the next to run');
    expect(pod.status).toMatchObject({ phase: 'Running' });
  });
});
