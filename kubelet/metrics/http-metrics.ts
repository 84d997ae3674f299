import { CounterCells, HistogramCells, kept } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Paths whose requests last as long as their clients like (pkg/kubelet/server). */
const longPaths = ['exec', 'attach', 'portforward', 'debug'];
const knownPaths = new Set([...longPaths, 'pods', 'runningpods', 'run', 'containerLogs', 'configz', 'metrics', 'stats', 'healthz', 'logs']);

/** Counts a request that begins now; call the answer when it is over. */
export type RequestCount = (method: string, path: string, nowMs: () => number, server?: 'readwrite' | 'readonly') => () => void;

/** Metrics of the requests to port 10250. */
export function requestMetrics(metrics: Metrics): RequestCount {
  const labels = ['long_running', 'method', 'path', 'server_type'];
  const total = kept(
    metrics.add(
      new CounterCells('kubelet_http_requests_total', '[ALPHA] Number of the http requests received since the server started', labels),
    ),
  );
  const now = kept(
    metrics.add(new CounterCells('kubelet_http_inflight_requests', '[ALPHA] Number of the inflight http requests', labels, 'gauge')),
  );
  const took = kept(
    metrics.add(
      new HistogramCells(
        'kubelet_http_requests_duration_seconds',
        '[ALPHA] Duration in seconds to serve http requests',
        secondsBuckets,
        labels,
      ),
    ),
  );
  return (method, path, nowMs, server = 'readwrite') => {
    const area = areaOf(path);
    const values = [String(longPaths.includes(area)), method, area, server];
    const startMs = nowMs();
    total(...values).value++;
    now(...values).value++;
    return () => {
      now(...values).value--;
      took(...values).observe((nowMs() - startMs) / 1_000);
    };
  };
}

/** The first word of a path, of /metrics and /stats the second, too; 'other' for unserved paths. */
function areaOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  const area = first === 'portForward' ? 'portforward' : first;
  if (area === '' || !knownPaths.has(area)) return area === '' ? '' : 'other';
  return (area === 'metrics' || area === 'stats') && ['cadvisor', 'probes', 'resource', 'summary'].includes(second)
    ? `${area}/${second}`
    : area;
}
