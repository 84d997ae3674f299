import { CounterCells, type HistogramCell, HistogramCells, type Sample, SampledFamily, SampledHistograms } from '#base/metric-cells.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { ContainerState, RuntimePodSummary } from './runtime/contract.ts';

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Upstream's words for the states of a runtime's containers. */
const stateNames: Readonly<Record<ContainerState, string>> = { created: 'created', running: 'running', exited: 'exited' };

/** Metrics of a node's pods, under upstream's names. */
export interface KubeletMetrics {
  /** All pods of the runtime were looked at: what there is, how long that took, when, and how long the last look was ago. */
  relisted(pods: readonly RuntimePodSummary[], look: { tookMs: number; atMs: number; sinceLastMs: number | undefined }): void;
  /** A pod was evicted under this pressure. */
  evicted(signal: string): void;
  /** An image was removed. */
  imageRemoved(why: 'age' | 'space'): void;
}

/** Of a prober. */
interface ProbeFigures {
  readonly samples: () => Iterable<Sample>;
  readonly durations: () => Iterable<readonly [values: readonly string[], cell: HistogramCell]>;
}

/** The metrics of /metrics/probes. */
export function probeMetrics({ samples, durations }: ProbeFigures): Metrics {
  const metrics = createMetrics();
  const labels = ['container', 'namespace', 'pod', 'pod_uid', 'probe_type', 'result'];
  const help = '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.';
  metrics.add(new SampledFamily('prober_probe_total', help, labels, 'counter', samples));
  const times = ['container', 'namespace', 'pod', 'probe_type'];
  metrics.add(
    new SampledHistograms('prober_probe_duration_seconds', '[ALPHA] Duration in seconds for a probe response.', times, durations),
  );
  return metrics;
}

export function kubeletMetrics(metrics: Metrics, nodeName: string): KubeletMetrics {
  const gauge = (name: string, help: string, labels: readonly string[] = [], kind: 'gauge' | 'counter' = 'gauge'): CounterCells =>
    metrics.add(new CounterCells(`kubelet_${name}`, `[ALPHA] ${help}`, labels, kind));
  const histogram = (name: string, help: string): HistogramCell =>
    metrics.add(new HistogramCells(`kubelet_${name}`, `[ALPHA] ${help}`, secondsBuckets, [])).cell([]);
  gauge('node_name', "The node's name. The count is always 1.", ['node']).cell([nodeName]).value = 1;
  const runningPods = gauge('running_pods', 'Number of pods that have a running pod sandbox');
  const containers = gauge('running_containers', 'Number of containers currently running', ['container_state']);
  const lastSeen = gauge('pleg_last_seen_seconds', 'Timestamp in seconds when PLEG was last seen active.');
  const took = histogram('pleg_relist_duration_seconds', 'Duration in seconds for relisting pods in PLEG.');
  const interval = histogram('pleg_relist_interval_seconds', 'Interval in seconds between relisting in PLEG.');
  const evictions = gauge('evictions', 'Cumulative number of pod evictions by eviction signal', ['eviction_signal'], 'counter');
  const images = gauge(
    'image_garbage_collected_total',
    'Total number of images garbage collected by the kubelet, whether through disk usage or image age.',
    ['reason'],
    'counter',
  );
  return {
    imageRemoved: (why) => void images.cell([why]).value++,
    evicted: (signal) => void evictions.cell([signal]).value++,
    relisted: (pods, { tookMs, atMs, sinceLastMs }) => {
      took.observe(tookMs / 1_000);
      if (sinceLastMs !== undefined) interval.observe(sinceLastMs / 1_000);
      lastSeen.cell([]).value = Math.floor(atMs / 1_000);
      runningPods.cell([]).value = pods.filter(({ sandboxes }) => sandboxes.some(({ state }) => state === 'ready')).length;
      const states = pods.flatMap((pod) => pod.containers.map(({ state }) => state));
      for (const [state, name] of Object.entries(stateNames)) {
        containers.cell([name]).value = states.filter((one) => one === state).length;
      }
    },
  };
}
