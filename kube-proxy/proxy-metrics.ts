import type { Metrics } from '#base/metrics.ts';

/** What kube-proxy counts, under upstream's names. */
export interface ProxyMetrics {
  readonly syncSeconds: { observe(seconds: number): void };
  readonly lastSyncSeconds: { set(seconds: number): void };
  readonly syncFailures: { inc(): void };
  readonly serviceChanges: { inc(): void };
  readonly endpointChanges: { inc(): void };
}

/** From 1 ms to 16 s, doubling, as upstream. */
const buckets = Array.from({ length: 15 }, (_, step) => 0.001 * 2 ** step);

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const name = (rest: string): string => `kubeproxy_sync_proxy_rules_${rest}`;
  return {
    syncSeconds: metrics.histogram(name('duration_seconds'), '[ALPHA] SyncProxyRules latency in seconds', buckets),
    lastSyncSeconds: metrics.gauge(name('last_timestamp_seconds'), '[ALPHA] The last time proxy rules were successfully synced'),
    syncFailures: metrics.counter(name('nftables_sync_failures_total'), '[ALPHA] Cumulative proxy nftables sync failures'),
    serviceChanges: metrics.counter(name('service_changes_total'), '[ALPHA] Cumulative proxy rules Service changes'),
    endpointChanges: metrics.counter(name('endpoint_changes_total'), '[ALPHA] Cumulative proxy rules Endpoint changes'),
  };
}
