import type { Clock } from '#base/clock.ts';
import { CounterCells, HistogramCells, kept } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { TransformationObserver } from '../storage/contract.ts';

const secondsBuckets = Array.from({ length: 25 }, (_, step) => 5e-6 * 2 ** step);

/** Counts what is sealed and opened on the way to the store and from it, under upstream's names. */
export function transformationMetrics(metrics: Metrics, clock: Pick<Clock, 'monotonicMs'>): TransformationObserver {
  const total = kept(
    metrics.add(
      new CounterCells(
        'apiserver_storage_transformation_operations_total',
        "[ALPHA] Total number of transformations. Successful transformation will have a status 'OK' and a varied status string when the transformation fails. The status, resource, and transformation_type fields can be used for alerting purposes. For example, you can monitor for encryption/decryption failures using the transformation_type (e.g., from_storage for decryption and to_storage for encryption). Additionally, these fields can be used to ensure that the correct transformers are applied to each resource.",
        ['resource', 'status', 'transformation_type', 'transformer_prefix'],
      ),
    ),
  );
  const seconds = kept(
    metrics.add(
      new HistogramCells(
        'apiserver_storage_transformation_duration_seconds',
        '[ALPHA] Latencies in seconds of value transformation operations.',
        secondsBuckets,
        ['transformation_type', 'transformer_prefix'],
      ),
    ),
  );
  return (type, resource) => {
    const startMs = clock.monotonicMs();
    return (prefix, isOk) => {
      total(resource, isOk ? 'OK' : 'unknown-non-grpc', type, prefix).value++;
      seconds(type, prefix).observe((clock.monotonicMs() - startMs) / 1_000);
    };
  };
}
