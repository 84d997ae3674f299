import type { Clock } from '#base/clock.ts';
import type { Metrics } from '#base/metrics.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Filter } from './filter.ts';
import { isLongRunning } from '../long-running.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const;

type Labels = Record<(typeof labels)[number], string>;

/** Counts and times requests, under upstream's names. Label sets are kept per shape of request: building them is the costly part. */
export function requestMetrics(metrics: Metrics, clock: Clock): Filter {
  const total = metrics.counter(
    'apiserver_request_total',
    'Counter of apiserver requests broken out for each verb, resource and HTTP code.',
    [...labels, 'code'],
  );
  const seconds = metrics.histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds for each verb, resource and scope.',
    durationBuckets,
    labels,
  );
  const running = metrics.gauge('apiserver_longrunning_requests', 'Number of active long-running requests.', labels);
  const kept = new Map<string, { labels: Labels; codes: Map<number, Labels & { code: string }> }>();

  const observe = (info: RequestInfo, code: number, elapsedMs: number | undefined): void => {
    const key = `${info.verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scopeOf(info)}`;
    let entry = kept.get(key);
    if (entry === undefined) {
      // Paths that nobody serves must not fill the memory with series.
      if (kept.size >= 2_000) return;
      entry = { labels: labelsOf(info), codes: new Map() };
      kept.set(key, entry);
    }
    let coded = entry.codes.get(code);
    if (coded === undefined) {
      coded = { ...entry.labels, code: String(code) };
      entry.codes.set(code, coded);
    }
    total.inc(coded);
    if (elapsedMs !== undefined) seconds.observe(entry.labels, elapsedMs / 1_000);
  };
  return (exchange, next) => {
    const { info, startMs } = exchange;
    const isLong = isLongRunning(info);
    if (isLong) running.inc(labelsOf(info));
    exchange.onDone = () => {
      if (isLong) running.dec(labelsOf(info));
      if (exchange.isServed) observe(info, exchange.response.statusCode, isLong ? undefined : clock.monotonicMs() - startMs);
    };
    return next(exchange);
  };
}

function labelsOf(info: RequestInfo): Labels {
  const { group, version, resource, subresource } = info;
  return { verb: info.verb.toUpperCase(), group, version, resource, subresource, scope: scopeOf(info) };
}

function scopeOf(info: RequestInfo): string {
  if (!info.isResource) return '';
  if (info.pathName !== '') return 'resource';
  return info.hasNamespacePart ? 'namespace' : 'cluster';
}
