// What a node does about pods that write more than they may, and what it tells of what they use; by what runtime they run.
import { describe, expect, test } from 'vitest';
import type { V1Node } from '#api/generated/types.ts';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, inside, podOf, runReady, script } from './pod-run.ts';

const cluster = useCluster();
const evictionMs = 120_000;

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly name: string };
    readonly containers: readonly { readonly rootfs?: { readonly usedBytes: number }; readonly logs?: { readonly usedBytes: number } }[];
    readonly volume?: readonly { readonly name: string; readonly usedBytes: number }[];
    readonly 'ephemeral-storage'?: { readonly usedBytes: number };
    readonly network?: { readonly name: string };
  }[];
}

async function nodeName(): Promise<string> {
  const { items } = await cluster().get<{ items: V1Node[] }>('nodes');
  return items[0]?.metadata?.name ?? '';
}

describe.concurrent('a pod that writes more than it may is evicted', () => {
  const write = 'head -c 6000000 /dev/zero > $0/zeros; while :; do sleep 1; done';
  const limits = { resources: { limits: { 'ephemeral-storage': '2Mi' } } };
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }];
  const mount = { volumeMounts: [{ name: 'cache', mountPath: '/cache' }] };
  const into = (folder: string, rest: object): object => busybox('main', { command: ['sh', '-c', write, folder], ...rest });
  test.each<[name: string, spec: object, message: string]>([
    ['into-a-volume', { containers: [into('/cache', mount)], volumes }, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '],
    [
      'into-its-root',
      { containers: [into('/tmp', limits)] },
      'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ',
    ],
    [
      'beside-others',
      { containers: [into('/tmp', limits), busybox('other', { resources: { limits: { 'ephemeral-storage': '90Mi' } } })] },
      'Container main exceeded its local ephemeral storage limit "2Mi". ',
    ],
  ])('%s', async (name, spec, message) => {
    await cluster().apply(podManifest(name, { ...spec }));
    await cluster().until(`${name} to be evicted`, async () => (await podOf(cluster(), name)).status?.phase === 'Failed', evictionMs);
    const { status } = await podOf(cluster(), name);
    expect(status).toMatchObject({ reason: 'Evicted', message });
    expect(await cluster().kubectl(`get events --field-selector involvedObject.name=${name},reason=Evicted -o name`)).toMatch(/^event\//);
  });
});

test('what pods hold on the node’s disk is told', async () => {
  await runReady(cluster(), 'writer', {
    containers: [script('echo words; while :; do sleep 1; done', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  await inside(cluster(), 'writer', 'head -c 3000000 /dev/zero > /tmp/a; head -c 2000000 /dev/zero > /v/b');
  const name = await nodeName();
  const writer = async () => {
    const text = await cluster().kubectl(`get --raw /api/v1/nodes/${name}/proxy/stats/summary`);
    return (JSON.parse(text) as Summary).pods.find(({ podRef }) => podRef.name === 'writer');
  };
  await cluster().until('the figures', async () => ((await writer())?.['ephemeral-storage']?.usedBytes ?? 0) >= 5_000_000);
  const found = await writer();
  expect(found?.containers[0]?.rootfs?.usedBytes).toBeGreaterThanOrEqual(3_000_000);
  expect(found?.containers[0]?.logs?.usedBytes).toBeGreaterThan(0);
  expect(found?.volume?.[0]).toMatchObject({ name: 'v' });
  expect(found?.volume?.[0]?.usedBytes).toBeGreaterThanOrEqual(2_000_000);
  expect(found?.network?.name).toBe('eth0');
  const resources = await cluster().kubectl(`get --raw /api/v1/nodes/${name}/proxy/metrics/resource`);
  for (const family of ['node_cpu_usage_seconds_total', 'container_start_time_seconds', 'pod_memory_working_set_bytes']) {
    expect(resources).toContain(`# TYPE ${family}`);
  }
  expect(await cluster().kubectl(`get --raw /api/v1/nodes/${name}/proxy/metrics/cadvisor`)).toMatch(
    /container_fs_usage_bytes\{.*pod="writer"\}/,
  );
});

test('a pod is run by the handler of its class', async () => {
  const { status } = await cluster().get<V1Node>(`node ${await nodeName()}`);
  expect(status?.runtimeHandlers?.map(({ name = '' }) => name)).toEqual(expect.arrayContaining(['', 'runc']));
  await cluster().apply({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'plain' }, handler: 'runc' });
  await cluster().apply({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'odd' }, handler: 'no-such' });
  expect(containerOf(await runReady(cluster(), 'by-runc', { runtimeClassName: 'plain' })).ready).toBe(true);
  await cluster().apply(podManifest('by-nothing', { runtimeClassName: 'odd' }));
  const look = 'get events --field-selector involvedObject.name=by-nothing,reason=FailedCreatePodSandBox -o jsonpath={.items[*].message}';
  await cluster().until('an event', async () => (await cluster().kubectl(look)).includes('no runtime for "no-such" is configured'));
  await expect(cluster().kubectl('run by-missing --image=x --overrides={"spec":{"runtimeClassName":"missing"}}')).rejects.toThrow(
    /forbidden|not found/i,
  );
});
