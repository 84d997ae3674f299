// What becomes of pods: restarts, grace, limits, images that are not there, nodes that do not fit.
import { expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { busybox, podManifest } from './manifests.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster();
const pod = (name: string): Promise<V1Pod> => cluster().get<V1Pod>(`pod ${name}`);
const events = (name: string): Promise<string> => cluster().kubectl(`get events --field-selector involvedObject.name=${name}`);

test('a container that fails its liveness probe is restarted', async () => {
  const alive = busybox('main', {
    command: ['sh', '-c', 'touch /tmp/alive; trap exit TERM; sleep 100000 & wait'],
    livenessProbe: { exec: { command: ['test', '-e', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 },
  });
  await cluster().apply(podManifest('alive', { containers: [alive] }));
  await cluster().kubectl('wait pod/alive --for=condition=Ready --timeout=30s');
  await cluster().kubectl('exec alive -- rm /tmp/alive');
  await cluster().until('it was restarted', async () => (await pod('alive')).status?.containerStatuses?.[0]?.restartCount === 1);
  await cluster().until('it runs', async () => (await pod('alive')).status?.containerStatuses?.[0]?.ready);
  expect(await events('alive')).toMatch(/Warning +Unhealthy +pod\/alive +Liveness probe failed/);
  expect(await events('alive')).toMatch(/Normal +Killing +pod\/alive +Container main failed liveness probe, will be restarted/);
  await cluster().kubectl('delete pod alive');
});

test('a container that keeps failing backs off', async () => {
  await cluster().apply(podManifest('crashing', { containers: [busybox('main', { command: ['sh', '-c', 'echo going; exit 7'] })] }));
  await cluster().until('it waits', async () => (await cluster().kubectl('get pod crashing')).includes('CrashLoopBackOff'));
  const [status] = (await pod('crashing')).status?.containerStatuses ?? [];
  expect(status?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=main pod=crashing_default\(/);
  expect(status?.lastState?.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
  expect(status?.restartCount).toBe(1);
  expect(await cluster().kubectl('logs crashing --previous')).toBe('going\n');
  await cluster().until(
    'its next start comes',
    async () => ((await pod('crashing')).status?.containerStatuses?.[0]?.restartCount ?? 0) >= 2,
    20_000,
  );
  await cluster().kubectl('delete pod crashing');
});

test('preStop runs before SIGTERM, and the grace period ends what stays', async () => {
  const stubborn = busybox('main', {
    command: ['sh', '-c', 'trap "echo asked >>/shared/story" TERM; while true; do sleep 0.1; done'],
    lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo preStop >>/shared/story; sleep 1'] } } },
    volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  });
  const volumes = [{ name: 'shared', hostPath: { path: '/var/tmp/story', type: 'DirectoryOrCreate' } }];
  await cluster().apply(podManifest('stubborn', { containers: [stubborn], volumes, terminationGracePeriodSeconds: 4 }));
  await cluster().kubectl('wait pod/stubborn --for=condition=Ready --timeout=30s');
  const startMs = performance.now();
  await cluster().kubectl('delete pod stubborn');
  const tookMs = performance.now() - startMs;
  expect(await cluster().host.sh('cat /var/tmp/story/story')).toBe('preStop\nasked\n');
  expect(tookMs).toBeGreaterThan(3_500);
  expect(tookMs).toBeLessThan(30_000);
});

test('limits reach the container, and exceeding memory is OOMKilled', async () => {
  const limits = { cpu: '500m', memory: '32Mi' };
  await cluster().apply(podManifest('limited', { containers: [busybox('main', { resources: { limits } })] }));
  await cluster().kubectl('wait pod/limited --for=condition=Ready --timeout=30s');
  expect((await pod('limited')).status?.qosClass).toBe('Guaranteed');
  const id = (await pod('limited')).status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';
  expect(
    await cluster().host.sh(`docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}}/{{.HostConfig.CpuPeriod}}' ${id}`),
  ).toBe(`${32 * 1024 * 1024} 50000/100000\n`);
  // The engine hears of the kernel's kill and of the end of the process separately, and where the end comes first it never says why:
  // of several containers some are told of.
  const greedy = ['a', 'b', 'c', 'd', 'e'].map((name) =>
    busybox(name, { command: ['sh', '-c', 'tail -c 200m /dev/zero'], resources: { limits: { memory: '32Mi' } } }),
  );
  await cluster().apply(podManifest('greedy', { containers: greedy, restartPolicy: 'Never' }));
  await cluster().until('they were killed', async () => (await pod('greedy')).status?.phase === 'Failed');
  const ends = (await pod('greedy')).status?.containerStatuses?.map(({ state }) => state?.terminated) ?? [];
  expect(ends.map((end) => end?.exitCode)).toEqual([137, 137, 137, 137, 137]);
  expect(ends.map((end) => end?.reason)).toContain('OOMKilled');
  await cluster().kubectl('delete pod limited greedy');
});

test('pods that end say how', async () => {
  await cluster().apply(podManifest('done', { containers: [busybox('main', { command: ['true'] })], restartPolicy: 'Never' }));
  await cluster().apply(
    podManifest('failed', { containers: [busybox('main', { command: ['sh', '-c', 'exit 3'] })], restartPolicy: 'Never' }),
  );
  await cluster().until('both ended', async () =>
    /Completed[\s\S]+Error|Error[\s\S]+Completed/.test(await cluster().kubectl('get pods done failed')),
  );
  expect((await pod('done')).status?.phase).toBe('Succeeded');
  expect((await pod('failed')).status?.phase).toBe('Failed');
  expect((await pod('failed')).status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  await cluster().kubectl('delete pod done failed');
});

test('an image that is not there and must not be pulled', async () => {
  await cluster().apply(
    podManifest('nowhere', { containers: [busybox('main', { image: 'coxswain/nowhere:1', imagePullPolicy: 'Never' })] }),
  );
  await cluster().until('it says so', async () => (await cluster().kubectl('get pod nowhere')).includes('ErrImageNeverPull'));
  expect((await pod('nowhere')).status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
    'Container image "coxswain/nowhere:1" is not present with pull policy of Never',
  );
  expect(await events('nowhere')).toMatch(/Warning +ErrImageNeverPull/);
  await cluster().kubectl('delete pod nowhere');
});

test('a pod that fits nowhere says why', async () => {
  await cluster().apply(
    podManifest('huge', { containers: [busybox('main', { resources: { requests: { cpu: '1000' } } })], nodeSelector: {} }),
  );
  await cluster().apply(podManifest('picky', { nodeSelector: { disk: 'fast' } }));
  const reason = async (name: string): Promise<string> => {
    const condition = (await pod(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');
    return `${condition?.reason}: ${condition?.message}`;
  };
  await cluster().until(
    'both were judged',
    async () => (await reason('huge')).includes('nodes') && (await reason('picky')).includes('nodes'),
  );
  expect(await reason('huge')).toMatch(/^Unschedulable: 0\/1 nodes are available: 1 Insufficient cpu\./);
  expect(await reason('picky')).toMatch(
    /^Unschedulable: 0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
  );
  expect(await events('picky')).toMatch(/Warning +FailedScheduling +pod\/picky +0\/1 nodes are available/);
  await cluster().kubectl('label node host1 disk=fast');
  await cluster().kubectl('wait pod/picky --for=condition=Ready --timeout=30s');
  await cluster().kubectl('label node host1 disk-');
  await cluster().kubectl('delete pod huge picky');
});

test('init containers run one after the other before the rest', async () => {
  const mount = [{ name: 'shared', mountPath: '/shared' }];
  const writes = (name: string): object => busybox(name, { command: ['sh', '-c', `echo ${name} >>/shared/story`], volumeMounts: mount });
  const spec = {
    initContainers: [writes('first'), writes('second')],
    containers: [busybox('main', { volumeMounts: mount })],
    volumes: [{ name: 'shared', emptyDir: {} }],
  };
  await cluster().apply(podManifest('initialised', spec));
  await cluster().kubectl('wait pod/initialised --for=condition=Ready --timeout=30s');
  expect(await cluster().kubectl('exec initialised -- cat /shared/story')).toBe('first\nsecond\n');
  await cluster().kubectl('delete pod initialised');
});
