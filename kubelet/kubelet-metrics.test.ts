import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { kubeletMetrics } from './kubelet-metrics.ts';
import { Pleg } from './pods/pleg.ts';
import type { ContainerState, RuntimePodSummary } from './runtime/contract.ts';
import { SimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';

function aPod(uid: string, sandbox: 'ready' | 'notReady', ...states: readonly ContainerState[]): RuntimePodSummary {
  const pod = { uid, namespace: 'default', name: uid };
  return {
    pod,
    sandboxes: [{ id: `s-${uid}`, state: sandbox }],
    containers: states.map((state, at) => ({ id: `c-${uid}-${at}`, name: `c${at}`, state })),
  } as unknown as RuntimePodSummary;
}

test('what runs on the node, as the last look at everything found it', async () => {
  const metrics = createMetrics();
  const { relisted } = kubeletMetrics(metrics, 'n1');
  const look = { tookMs: 20, atMs: 1_700_000_000_400, sinceLastMs: undefined };
  relisted([aPod('a', 'ready', 'running', 'exited'), aPod('b', 'ready', 'running'), aPod('c', 'notReady', 'exited')], look);
  const text = await metrics.text();
  expect(text).toContain('\nkubelet_node_name{node="n1"} 1\n');
  expect(text).toContain('\nkubelet_running_pods 2\n');
  expect(text).toContain('\nkubelet_running_containers{container_state="running"} 2\n');
  expect(text).toContain('\nkubelet_running_containers{container_state="exited"} 2\n');
  expect(text).toContain('\nkubelet_pleg_last_seen_seconds 1700000000\n');
  expect(text).toContain('\nkubelet_pleg_relist_duration_seconds_bucket{le="0.025"} 1\n');
  expect(text).toContain('\nkubelet_pleg_relist_interval_seconds_count 0\n');
  relisted([], { ...look, sinceLastMs: 30_000 });
  expect(await metrics.text()).toContain('\nkubelet_running_pods 0\n');
  expect(await metrics.text()).toContain('\nkubelet_pleg_relist_interval_seconds_sum 30\n');
});

test('every look at everything is counted', async () => {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const runtime = new SimulatedRuntime(clock, { anyImage: true });
  const pleg = new Pleg({
    runtime,
    clock,
    log: silentLog,
    onChange: () => undefined,
    onRelist: () => undefined,
    metrics: kubeletMetrics(metrics, 'n1'),
  });
  const stop = new AbortController();
  const ended = pleg.run(stop.signal, () => undefined).catch(() => undefined);
  const looks = async (): Promise<number> => Number(/^kubelet_pleg_relist_duration_seconds_count (\d+)$/m.exec(await metrics.text())?.[1]);
  await clock.advance(1);
  const first = await looks();
  await clock.advance(30_000);
  expect(await looks()).toBe(first + 1);
  stop.abort(new Error('over'));
  await ended;
});
