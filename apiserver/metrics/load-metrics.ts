import { CounterCells, SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { InFlight } from '../http/filters/in-flight.ts';

/** How much is being served: existing state, read on scrape. */
export function loadMetrics(metrics: Metrics, inFlight: Pick<InFlight, 'reads' | 'writes'>): void {
  metrics.add(
    new SampledFamily(
      'apiserver_current_inflight_requests',
      '[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
      ['request_kind'],
      'gauge',
      () => [
        [['mutating'], inFlight.writes],
        [['readOnly'], inFlight.reads],
      ],
    ),
  );
}

/** Gives what to call for every connection that does not come to be. */
export function connectionMetrics(metrics: Metrics): () => void {
  const errors = metrics.add(
    new CounterCells(
      'apiserver_tls_handshake_errors_total',
      "[ALPHA] Number of requests dropped with 'TLS handshake error from' error",
      [],
    ),
  );
  const cell = errors.cell([]);
  return () => void cell.value++;
}
