import { expect, test } from 'vitest';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createMetrics } from '#base/metrics.ts';
import { endsAfter } from '../runtime/simulated/program.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode } from '../testing.ts';
import { requestMetrics } from './http-metrics.ts';
import { podMetrics } from './pod-metrics.ts';
import { countedRuntime } from './runtime-operations.ts';

const { signal } = new AbortController();

test('what is asked of the runtime, and what it refuses', async () => {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const runtime = countedRuntime(new SimulatedRuntime(clock, {}), metrics, clock);
  await runtime.pods(signal);
  await runtime.images.list(signal);
  await expect(runtime.images.pull('absent', {}, signal)).rejects.toThrow();
  const text = await metrics.text();
  expect(text).toContain('\nkubelet_runtime_operations_total{operation_type="list_containers"} 1\n');
  expect(text).toContain('\nkubelet_runtime_operations_total{operation_type="pull_image"} 1\n');
  expect(text).toContain('\nkubelet_runtime_operations_errors_total{operation_type="pull_image"} 1\n');
  expect(text).not.toContain('errors_total{operation_type="list_images"}');
  expect(text).toContain('\nkubelet_runtime_operations_duration_seconds_count{operation_type="list_images"} 1\n');
});

test('how soon a pod runs, without what others take', async () => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const metrics = createMetrics();
  const counts = podMetrics(metrics, () => clock.monotonicMs());
  counts.pulling('u', false);
  await clock.advance(20_000);
  counts.pulling('u', true);
  await clock.advance(10_000);
  const pod: Pod = {
    metadata: { uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }], containers: [{ name: 'c' }] },
  };
  const init = { name: 'i', image: '', imageID: '', ready: true, restartCount: 0 };
  const terminated = { exitCode: 0, startedAt: '2026-01-01T00:00:21Z', finishedAt: '2026-01-01T00:00:25Z' };
  counts.running(pod, { initContainerStatuses: [{ ...init, state: { terminated } }] }, { sinceSeenMs: 29_000, nowMs: clock.nowMs() });
  const text = await metrics.text();
  expect(text).toContain('\nkubelet_pod_start_duration_seconds_sum 29\n');
  expect(text).toContain('\nkubelet_pod_start_total_duration_seconds_sum 30\n');
  expect(text).toContain('\nkubelet_pod_start_sli_duration_seconds_sum 6\n');
});

test('requests by what they ask for', async () => {
  let nowMs = 0;
  const metrics = createMetrics();
  const count = requestMetrics(metrics);
  const over = ['/metrics/cadvisor', '/exec/ns/p/c', '/portForward/ns/p', '/nonsense'].map((path) => count('GET', path, () => nowMs));
  nowMs = 2_000;
  over[0]?.();
  const text = await metrics.text();
  const labels = 'long_running="false",method="GET",path="metrics/cadvisor",server_type="readwrite"';
  expect(text).toContain(`\nkubelet_http_requests_total{${labels}} 1\n`);
  expect(text).toContain(`\nkubelet_http_inflight_requests{${labels}} 0\n`);
  expect(text).toContain(`\nkubelet_http_requests_duration_seconds_sum{${labels}} 2\n`);
  for (const path of ['exec', 'portforward']) {
    expect(text).toContain(`\nkubelet_http_inflight_requests{long_running="true",method="GET",path="${path}",server_type="readwrite"} 1\n`);
  }
  expect(text).toContain('path="other"');
});

test('a whole kubelet tells of its pods', async () => {
  await using cluster = await startTestCluster();
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true, programs: { fails: endsAfter(1, 1) } });
  await using kubelet = await startTestKubelet(cluster, { runtime });
  const make = async (name: string, spec: Partial<Pod['spec']>): Promise<void> => {
    const whole = { nodeName: testNode, containers: [{ name: 'c', image: 'app' }], ...spec };
    await cluster.client.create(podKind, { metadata: { namespace: 'default', name }, spec: whole }, {}, signal);
  };
  await make('runs', {});
  await make('lacks', { containers: [{ name: 'c', image: 'app', resources: { requests: { cpu: '9' } } }] });
  await make('never', { containers: [{ name: 'c', image: 'absent', imagePullPolicy: 'Never' }] });
  const said = async (...lines: string[]): Promise<string | undefined> => {
    const text = await kubelet.metrics.text();
    return lines.every((line) => text.includes(`\n${line}\n`)) ? text : undefined;
  };
  const text = await eventually(
    () =>
      said(
        'kubelet_pod_start_duration_seconds_count 1',
        'kubelet_admission_rejections_total{reason="OutOfcpu"} 1',
        'kubelet_started_pods_total 2',
        'kubelet_started_containers_errors_total{code="ErrImageNeverPull",container_type="container"} 1',
        'kubelet_desired_pods{static=""} 3',
        'kubelet_active_pods{static=""} 2',
        'kubelet_mirror_pods 0',
      ),
    'every metric',
  );
  expect(text).toMatch(/\nkubelet_pod_worker_duration_seconds_count\{operation_type="create"\} [1-9]/);
  expect(text).toMatch(/\nkubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 2\n/);
});
