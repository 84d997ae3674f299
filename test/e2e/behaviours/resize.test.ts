// What Kubernetes requires of pods that are resized while they run, seen in the status and in the control groups of the containers.
import { expect, test } from 'vitest';
import type { V1Pod, V1ResourceRequirements } from '#api/generated/types.ts';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { inside, podOf, runReady } from './pod-run.ts';

const cluster = useCluster();
const names = ['c1', 'c2', 'c3'];
type Amounts = readonly [cpuMillis: number, memoryMi: number];

const same = ([cpu, memory]: Amounts): V1ResourceRequirements => {
  const amounts = { cpu: `${cpu}m`, memory: `${memory}Mi` };
  return { requests: amounts, limits: amounts };
};

function patchOf(amounts: readonly Amounts[]): string {
  return JSON.stringify({ spec: { containers: names.map((name, at) => ({ name, resources: same(amounts[at] ?? [0, 0]) })) } });
}

const onlyMain = (amounts: Amounts): string => JSON.stringify({ spec: { containers: [{ name: 'main', resources: same(amounts) }] } });

/** Waits until the status and the kernel hold every container to what its spec says. */
async function holds(pod: string, amounts: readonly Amounts[]): Promise<V1Pod> {
  await cluster().until(`${pod} has what it asks for`, async () => {
    const { spec, status } = await podOf(cluster(), pod);
    if (status?.conditions?.some(({ type }) => type === 'PodResizePending' || type === 'PodResizeInProgress') === true) return false;
    return names.every((name, at) => {
      const wanted = same(amounts[at] ?? [0, 0]);
      const asked = spec?.containers.find((one) => one.name === name)?.resources;
      const given = status?.containerStatuses?.find((one) => one.name === name)?.resources;
      return [asked, given].every(
        (one) => JSON.stringify([one?.requests, one?.limits]) === JSON.stringify([wanted.requests, wanted.limits]),
      );
    });
  });
  for (const [at, name] of names.entries()) await heldTo(pod, name, amounts[at] ?? [0, 0]);
  return podOf(cluster(), pod);
}

/** The kernel holds a container to these amounts. */
async function heldTo(pod: string, name: string, [cpu, memory]: Amounts): Promise<void> {
  const v2 = 'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory.max';
  const v1 = 'echo $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us) 100000; cat /sys/fs/cgroup/memory/memory.limit_in_bytes';
  const seen = await inside(cluster(), pod, `[ -e /sys/fs/cgroup/cpu.max ] && { ${v2}; } || { ${v1}; }`, name);
  expect(seen, name).toBe(`${cpu * 100} 100000\n${memory * 2 ** 20}\n`);
}

const start: readonly Amounts[] = [
  [100, 100],
  [100, 100],
  [100, 100],
];
test.each<[name: string, amounts: readonly Amounts[]]>([
  [
    'a net increase',
    [
      [120, 110],
      [110, 120],
      [130, 130],
    ],
  ],
  [
    'a net decrease',
    [
      [80, 90],
      [90, 80],
      [70, 70],
    ],
  ],
  [
    'more, less and the same',
    [
      [150, 90],
      [80, 120],
      [100, 100],
    ],
  ],
  [
    'more time for one, more memory for another',
    [
      [150, 100],
      [100, 150],
      [100, 100],
    ],
  ],
])('a guaranteed pod of three containers: %s', async (name, amounts) => {
  const pod = name.replaceAll(/\W+/g, '-');
  const before = await runReady(cluster(), pod, {
    containers: names.map((one, at) => busybox(one, { resources: same(start[at] ?? [0, 0]) })),
  });
  expect(before.status?.qosClass).toBe('Guaranteed');
  await holds(pod, start);
  await cluster().kubectl(['patch', 'pod', pod, '--subresource=resize', '-p', patchOf(amounts)]);
  const after = await holds(pod, amounts);
  expect(after.status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount])).toEqual(
    before.status?.containerStatuses?.map(({ containerID }) => [containerID, 0]),
  );
  expect(after.status?.qosClass).toBe('Guaranteed');
  expect(after.status?.observedGeneration).toBe(2);
  // And back.
  await cluster().kubectl(['patch', 'pod', pod, '--subresource=resize', '-p', patchOf(start)]);
  await holds(pod, start);
  await cluster().kubectl(`delete pod ${pod}`);
});

test('the resize endpoint can be read and replaced, and shows the pod', async () => {
  const pod = await runReady(cluster(), 'replaced', { containers: names.map((one) => busybox(one, { resources: same([100, 100]) })) });
  const path = '/api/v1/namespaces/default/pods/replaced';
  const read = async (url: string): Promise<V1Pod> => JSON.parse(await cluster().kubectl(`get --raw ${url}`)) as V1Pod;
  const { spec, ...rest } = await read(`${path}/resize`);
  expect(rest.metadata.uid).toBe(pod.metadata.uid);
  const containers = spec?.containers.map((one) => ({ ...one, resources: same([130, 120]) }));
  await cluster().kubectl(`replace --raw ${path}/resize -f -`, { input: JSON.stringify({ ...rest, spec: { ...spec, containers } }) });
  await holds('replaced', [
    [130, 120],
    [130, 120],
    [130, 120],
  ]);
  await cluster().until(
    'both show the same',
    async () => JSON.stringify(await read(path)) === JSON.stringify(await read(`${path}/resize`)),
  );
  await cluster().kubectl('delete pod replaced');
});

test('what the node has no room for waits until there is, and what it never has is refused', async () => {
  const { allocatable } = (await cluster().get<{ status: { allocatable: Record<string, string> } }>('node host1')).status;
  const nodeMillis = Number(allocatable['cpu']) * 1_000;
  await runReady(cluster(), 'takes-much', { containers: [busybox('main', { resources: { requests: { cpu: `${nodeMillis - 500}m` } } })] });
  await runReady(cluster(), 'waits', { containers: [busybox('main', { resources: same([100, 100]) })] });
  await cluster().kubectl(['patch', 'pod', 'waits', '--subresource=resize', '-p', onlyMain([600, 100])]);
  const pending = async (): Promise<string | undefined> =>
    (await podOf(cluster(), 'waits')).status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason;
  await cluster().until('it is deferred', async () => (await pending()) === 'Deferred');
  const never = await cluster().tryKubectl(['patch', 'pod', 'waits', '--subresource=resize', '-p', onlyMain([nodeMillis + 1, 100])]);
  expect(never.stderr).toContain("Node didn't have enough allocatable resources: cpu");
  await cluster().kubectl('delete pod takes-much');
  await cluster().until('it has its CPU', async () => {
    const [status] = (await podOf(cluster(), 'waits')).status?.containerStatuses ?? [];
    return (await pending()) === undefined && status?.resources?.limits?.['cpu'] === '600m';
  });
  await cluster().kubectl('delete pod waits');
});

test('an init container is resized while it runs, and those after it begin when it is done', async () => {
  const init = busybox('init', { command: ['sh', '-c', 'until [ -e /tmp/done ]; do sleep 0.2; done'], resources: same([100, 100]) });
  const containers = [busybox('main', { resources: same([100, 100]) })];
  await cluster().apply(podManifest('early', { initContainers: [init], containers }));
  const status = async (): Promise<string> => {
    const [found] = (await podOf(cluster(), 'early')).status?.initContainerStatuses ?? [];
    return `${found?.resources?.limits?.['cpu']} ${found?.allocatedResources?.['memory']}, restarted ${found?.restartCount}`;
  };
  await cluster().until('it runs', async () => (await status()) === '100m 100Mi, restarted 0');
  for (const amounts of [[150, 120] as const, [100, 100] as const]) {
    const patch = JSON.stringify({ spec: { initContainers: [{ name: 'init', resources: same(amounts) }] } });
    await cluster().kubectl(['patch', 'pod', 'early', '--subresource=resize', '-p', patch]);
    await cluster().until('its amounts', async () => (await status()) === `${amounts[0]}m ${amounts[1]}Mi, restarted 0`);
    await heldTo('early', 'init', amounts);
  }
  await inside(cluster(), 'early', 'touch /tmp/done', 'init');
  await cluster().kubectl('wait pod/early --for=condition=Ready --timeout=60s');
});

test('a container that wants to be restarted for it is', async () => {
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
  await runReady(cluster(), 'restarted', { containers: [busybox('main', { resources: same([100, 100]), resizePolicy })] });
  const status = async (): Promise<string> => {
    const [main] = (await podOf(cluster(), 'restarted')).status?.containerStatuses ?? [];
    return `${main?.resources?.limits?.['cpu']} ${main?.resources?.limits?.['memory']}, restarted ${main?.restartCount}, ready ${main?.ready}`;
  };
  await cluster().kubectl(['patch', 'pod', 'restarted', '--subresource=resize', '-p', onlyMain([110, 100])]);
  await cluster().until('more CPU', async () => (await status()) === '110m 100Mi, restarted 0, ready true');
  await cluster().kubectl(['patch', 'pod', 'restarted', '--subresource=resize', '-p', onlyMain([110, 120])]);
  await cluster().until('more memory', async () => (await status()) === '110m 120Mi, restarted 1, ready true');
});
