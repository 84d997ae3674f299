// Metrics of operations on volumes, cgroups, images and statuses, under upstream's names.
import type { Clock } from '#base/clock.ts';
import { CounterCells, type HistogramCell, HistogramCells, kept, type Sample, SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const storageBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const pullBuckets = [1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1_200, 1_800, 2_700, 3_600];
const statusBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60];

/** Runs `work` and counts it. */
export type TimedOperation<K extends string> = <T>(operation: K, work: () => Promise<T>) => Promise<T>;

/** Of a volume of some plugin. */
export type StorageOperation = <T>(operation: 'volume_mount' | 'volume_unmount', plugin: string, work: () => Promise<T>) => Promise<T>;

export function storageOperation(metrics: Metrics, clock: Clock): StorageOperation {
  const labels = ['migrated', 'operation_name', 'status', 'volume_plugin'];
  const took = histogram(metrics, 'storage_operation_duration_seconds', 'Storage operation duration', storageBuckets, labels);
  return (operation, plugin, work) =>
    timed(clock, work, (seconds, isDone) => took('false', operation, isDone ? 'success' : 'fail-unknown', plugin).observe(seconds));
}

export function cgroupOperation(metrics: Metrics, clock: Clock): TimedOperation<'create' | 'update' | 'destroy'> {
  const help = 'Duration in seconds for cgroup manager operations. Broken down by method.';
  const took = histogram(metrics, 'kubelet_cgroup_manager_duration_seconds', help, secondsBuckets, ['operation_type']);
  return (operation, work) => timed(clock, work, (seconds) => took(operation).observe(seconds));
}

/** Of an image that was pulled. */
export function pullMetrics(metrics: Metrics): (sizeBytes: number, tookMs: number) => void {
  const help = 'Duration in seconds to pull an image.';
  const took = histogram(metrics, 'kubelet_image_pull_duration_seconds', help, pullBuckets, ['image_size_in_bytes']);
  return (sizeBytes, tookMs) => took(sizeName(sizeBytes)).observe(tookMs / 1_000);
}

/** Of a change of a pod's status that has come to the API server. */
export function statusMetrics(metrics: Metrics): (tookMs: number) => void {
  const help =
    'Duration in seconds to sync a pod status update. Measures time from detection of a change to pod status until the API is successfully updated for that pod, even if multiple intevening changes to pod status occur.';
  const took = histogram(metrics, 'kubelet_pod_status_sync_duration_seconds', help, statusBuckets, []);
  return (tookMs) => took().observe(tookMs / 1_000);
}

/** What is wanted and what there is, as plugin names with repetitions. */
interface VolumeCounts {
  readonly desired: () => Iterable<string>;
  readonly actual: () => Iterable<string>;
}

export function volumeCounts(metrics: Metrics, { desired, actual }: VolumeCounts): void {
  const help = '[ALPHA] Number of volumes in Volume Manager';
  const samples = (plugins: Iterable<string>, state: string): Sample[] => {
    const counts = new Map<string, number>();
    for (const plugin of plugins) counts.set(plugin, (counts.get(plugin) ?? 0) + 1);
    return Array.from(counts, ([plugin, count]): Sample => [[plugin, state], count]);
  };
  const read = (): Sample[] => [...samples(actual(), 'actual_state_of_world'), ...samples(desired(), 'desired_state_of_world')];
  metrics.add(new SampledFamily('volume_manager_total_volumes', help, ['plugin_name', 'state'], 'gauge', read));
}

/** Exports the remaining lifetime of the client certificate in seconds; call the result when a renewal fails. */
export function certificateMetrics(metrics: Metrics, ttlSeconds: () => number): () => void {
  const help =
    "[ALPHA] Gauge of the TTL (time-to-live) of the Kubelet's client certificate. The value is in seconds until certificate expiry (negative if already expired). If client certificate is invalid or unused, the value will be +INF.";
  metrics.add(new SampledFamily('kubelet_certificate_manager_client_ttl_seconds', help, [], 'gauge', () => [[[], ttlSeconds()]]));
  const name = 'kubelet_certificate_manager_client_expiration_renew_errors';
  const errors = metrics.add(new CounterCells(name, '[ALPHA] Counter of certificate renewal errors.', [])).cell([]);
  return () => void errors.value++;
}

const sizes: readonly (readonly [moreThanMebibytes: number, name: string])[] = [
  [0, '0-10MB'],
  [10, '10MB-100MB'],
  [100, '100MB-500MB'],
  [500, '500MB-1GB'],
  [1_024, '1GB-5GB'],
  [5_120, '5GB-10GB'],
  [10_240, '10GB-20GB'],
  [20_480, '20GB-30GB'],
  [30_720, '30GB-40GB'],
  [40_960, '40GB-60GB'],
  [61_440, '60GB-100GB'],
  [102_400, 'GT100GB'],
];

function sizeName(bytes: number): string {
  return sizes.findLast(([mebibytes]) => bytes > mebibytes * 2 ** 20)?.[1] ?? 'N/A';
}

function histogram(
  metrics: Metrics,
  name: string,
  help: string,
  bounds: number[],
  labels: string[],
): (...values: string[]) => HistogramCell {
  return kept(metrics.add(new HistogramCells(name, `[ALPHA] ${help}`, bounds, labels)));
}

async function timed<T>(clock: Clock, work: () => Promise<T>, observe: (seconds: number, isDone: boolean) => void): Promise<T> {
  const startMs = clock.monotonicMs();
  let isDone = false;
  try {
    const answer = await work();
    isDone = true;
    return answer;
  } finally {
    observe((clock.monotonicMs() - startMs) / 1_000, isDone);
  }
}
