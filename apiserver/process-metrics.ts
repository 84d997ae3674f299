import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from '#base/metrics.ts';
import { version } from '#base/version.ts';

/** What every process tells of itself, under the names of the Go components where those have one. */
export function processMetrics(metrics: Metrics): void {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  metrics
    .gauge('kubernetes_build_info', 'The version of this process.', ['git_version', 'major', 'minor', 'platform'])
    .set({ git_version: version, major, minor, platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}` }, 1);
  metrics.gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.').set(performance.timeOrigin / 1_000);
  metrics.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', [], (gauge) => gauge.set(process.memoryUsage.rss()));
  metrics.gauge('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', [], (gauge) => {
    const { user, system } = process.cpuUsage();
    gauge.set((user + system) / 1_000_000);
  });
  // A timer is what measures: the time that it waits, 10 ms, is in the figures.
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  metrics.gauge(
    'coxswain_event_loop_delay_seconds',
    'Time between two turns of the event loop since the last look, seen every 10 ms.',
    ['quantile'],
    (gauge) => {
      for (const percent of [50, 99, 100]) gauge.set({ quantile: String(percent / 100) }, delay.percentile(percent) / 1e9);
      delay.reset();
    },
  );
}
