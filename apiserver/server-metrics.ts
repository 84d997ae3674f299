import type { Metrics } from '#base/metrics.ts';
import type { InFlight } from './http/filters/in-flight.ts';

export interface MeasuredParts {
  readonly inFlight: Pick<InFlight, 'reads' | 'writes'>;
  /** Stored objects by resource, such as `pods` or `deployments.apps`. */
  readonly objects: () => Iterable<readonly [resource: string, count: number]>;
}

/** What is known anyway and only looked at when somebody asks, under upstream's names. */
export function serverMetrics(metrics: Metrics, { inFlight, objects }: MeasuredParts): void {
  metrics.gauge(
    'apiserver_current_inflight_requests',
    'Requests that are being served, long-running ones aside.',
    ['request_kind'],
    (gauge) => {
      gauge.set({ request_kind: 'readOnly' }, inFlight.reads);
      gauge.set({ request_kind: 'mutating' }, inFlight.writes);
    },
  );
  metrics.gauge('apiserver_storage_objects', 'Stored objects by resource.', ['resource'], (gauge) => {
    for (const [resource, count] of objects()) gauge.set({ resource }, count);
  });
}
