import { CounterCells, HistogramCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/** From 50 kB to 3.05 MB. */
const bodyBuckets = Array.from({ length: 31 }, (_, step) => 50_000 + 100_000 * step);

/** What is counted of requests, under upstream's names, labels and buckets. */
export interface RequestFamilies {
  readonly total: CounterCells;
  readonly seconds: HistogramCells;
  readonly sli: HistogramCells;
  readonly sizes: HistogramCells;
  readonly bodies: HistogramCells;
  readonly running: CounterCells;
  readonly terminated: CounterCells;
  readonly deprecated: CounterCells;
}

const plain = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];
const withDryRun = ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];

export function requestFamilies(metrics: Metrics): RequestFamilies {
  return {
    ...countedFamilies(metrics),
    seconds: metrics.add(
      new HistogramCells(
        'apiserver_request_duration_seconds',
        '[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
        durationBuckets,
        withDryRun,
      ),
    ),
    sli: metrics.add(
      new HistogramCells(
        'apiserver_request_sli_duration_seconds',
        '[ALPHA] Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.',
        durationBuckets.slice(2),
        plain,
      ),
    ),
    sizes: metrics.add(
      new HistogramCells(
        'apiserver_response_sizes',
        '[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
        sizeBuckets,
        plain,
      ),
    ),
    bodies: metrics.add(
      new HistogramCells(
        'apiserver_request_body_size_bytes',
        '[ALPHA] Apiserver request body size in bytes broken out by resource and verb.',
        bodyBuckets,
        ['group', 'resource', 'verb'],
      ),
    ),
  };
}

function countedFamilies(metrics: Metrics): Pick<RequestFamilies, 'total' | 'running' | 'terminated' | 'deprecated'> {
  return {
    total: metrics.add(
      new CounterCells(
        'apiserver_request_total',
        '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
        ['code', ...withDryRun],
      ),
    ),
    running: metrics.add(
      new CounterCells(
        'apiserver_longrunning_requests',
        '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
        plain,
        'gauge',
      ),
    ),
    terminated: metrics.add(
      new CounterCells('apiserver_request_terminations_total', '[ALPHA] Number of requests which apiserver terminated in self-defense.', [
        'code',
        ...plain,
      ]),
    ),
    deprecated: metrics.add(
      new CounterCells(
        'apiserver_requested_deprecated_apis',
        '[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
        ['group', 'removed_release', 'resource', 'subresource', 'version'],
        'gauge',
      ),
    ),
  };
}
