import { expect, test } from 'vitest';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createMetrics } from '#base/metrics.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet } from '../testing.ts';
import { certificateMetrics, cgroupOperation, pullMetrics, storageOperation } from './operation-metrics.ts';

const { signal } = new AbortController();

test('how long work on volumes and control groups takes, and how it ends', async () => {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const storage = storageOperation(metrics, clock);
  const work = async (): Promise<number> => {
    await clock.advance(200);
    return 7;
  };
  expect(await storage('volume_mount', 'kubernetes.io/secret', work)).toBe(7);
  await expect(storage('volume_mount', 'kubernetes.io/nfs', () => Promise.reject(new Error('no server')))).rejects.toThrow('no server');
  await cgroupOperation(metrics, clock)('create', work);
  const text = await metrics.text();
  const labels = (status: string, plugin: string): string =>
    `migrated="false",operation_name="volume_mount",status="${status}",volume_plugin="kubernetes.io/${plugin}"`;
  expect(text).toContain(`\nstorage_operation_duration_seconds_bucket{${labels('success', 'secret')},le="0.25"} 1\n`);
  expect(text).toContain(`\nstorage_operation_duration_seconds_bucket{${labels('success', 'secret')},le="0.1"} 0\n`);
  expect(text).toContain(`\nstorage_operation_duration_seconds_count{${labels('fail-unknown', 'nfs')}} 1\n`);
  expect(text).toContain('\nkubelet_cgroup_manager_duration_seconds_sum{operation_type="create"} 0.2\n');
});

test.each([
  [0, 'N/A'],
  [1, '0-10MB'],
  [10 * 2 ** 20, '0-10MB'],
  [10 * 2 ** 20 + 1, '10MB-100MB'],
  [2 ** 30, '500MB-1GB'],
  [2 ** 37, 'GT100GB'],
])('an image of %s bytes counts as one of %s', async (bytes, name) => {
  const metrics = createMetrics();
  pullMetrics(metrics)(bytes, 4_000);
  expect(await metrics.text()).toContain(`\nkubelet_image_pull_duration_seconds_bucket{image_size_in_bytes="${name}",le="5"} 1\n`);
});

test('how long the certificate is good', async () => {
  const metrics = createMetrics();
  let seconds = Number.POSITIVE_INFINITY;
  const failed = certificateMetrics(metrics, () => seconds);
  expect(await metrics.text()).toContain('\nkubelet_certificate_manager_client_ttl_seconds +Inf\n');
  seconds = -3;
  failed();
  const text = await metrics.text();
  expect(text).toContain('\nkubelet_certificate_manager_client_ttl_seconds -3\n');
  expect(text).toContain('\nkubelet_certificate_manager_client_expiration_renew_errors 1\n');
});

test('a pod with volumes, from its beginning to its end', async () => {
  await using cluster = await startTestCluster();
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  await using kubelet = await startTestKubelet(cluster, { runtime });
  const key = { namespace: 'default', name: 'p' };
  const spec: Pod['spec'] = {
    nodeName: 'node-1',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image: 'app' }],
    volumes: [
      { name: 'a', emptyDir: {} },
      { name: 'b', emptyDir: {} },
    ],
  };
  await cluster.client.create(podKind, { metadata: key, spec }, {}, signal);
  const says = async (...lines: string[]): Promise<true | undefined> => {
    const text = await kubelet.metrics.text();
    return lines.every((line) => text.includes(`\n${line}\n`)) ? true : undefined;
  };
  const volumes = (state: string): string =>
    `volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="${state}_state_of_world"} 2`;
  const working = (count: number): string => `kubelet_working_pods{lifecycle="sync",config="desired",static=""} ${count}`;
  await eventually(() => says(volumes('actual'), volumes('desired'), working(1)), 'the pod to be counted');
  const text = await kubelet.metrics.text();
  expect(text).toMatch(/\nkubelet_pod_status_sync_duration_seconds_count [1-9]/);
  expect(text).toContain('\nkubelet_working_pods{lifecycle="terminated",config="runtime_only",static="unknown"} 0\n');
  await cluster.client.delete(podKind, key, {}, signal);
  const isGone = async (): Promise<true | undefined> =>
    (await kubelet.metrics.text()).includes('volume_manager_total_volumes{') ? undefined : true;
  await eventually(isGone, 'its volumes to be gone');
  await eventually(() => says(working(0)), 'the pod to be gone');
});
