import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { buildInfo } from './build-info.ts';
import { type Sample, SampledFamily } from './metric-cells.ts';
import type { Metrics } from './metrics.ts';

const buildHelp =
  "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, " +
  'and compiler from which Kubernetes was built, and platform on which it is running.';

interface ProcessMetricsOptions {
  /** How often the delay of the event loop is measured. Each time wakes the process: more often than 200 ms, the default, only where it counts. */
  readonly delayEveryMs?: number;
}

/** Metrics of the process, under the names of the Go components where those exist. */
export function processMetrics(metrics: Metrics, { delayEveryMs = 200 }: ProcessMetricsOptions = {}): void {
  const build = buildInfo();
  const labels = ['build_date', 'compiler', 'git_commit', 'git_tree_state', 'git_version', 'go_version', 'major', 'minor', 'platform'];
  const { buildDate, compiler, gitCommit, gitTreeState, gitVersion, goVersion, major, minor, platform } = build;
  const values = [buildDate, compiler, gitCommit, gitTreeState, gitVersion, goVersion, major, minor, platform];
  metrics.add(new SampledFamily('kubernetes_build_info', buildHelp, labels, 'gauge', () => [[values, 1]]));
  const add = (name: string, help: string, type: 'counter' | 'gauge', read: () => number | undefined): void => {
    metrics.add(new SampledFamily(`process_${name}`, help, [], type, () => only(read())));
  };
  add('start_time_seconds', 'Start time of the process since unix epoch in seconds.', 'gauge', () => performance.timeOrigin / 1_000);
  add('resident_memory_bytes', 'Resident memory size in bytes.', 'gauge', () => process.memoryUsage.rss());
  add('cpu_seconds_total', 'Total user and system CPU time spent in seconds.', 'counter', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  });
  add('open_fds', 'Number of open file descriptors.', 'gauge', () => proc(() => readdirSync('/proc/self/fd').length));
  add('max_fds', 'Maximum number of open file descriptors.', 'gauge', () =>
    proc(() => Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])),
  );
  add('virtual_memory_bytes', 'Virtual memory size in bytes.', 'gauge', () =>
    proc(() => 1_024 * Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1])),
  );
  add('virtual_memory_max_bytes', 'Maximum amount of virtual memory available in bytes.', 'gauge', () => proc(maxVirtualBytes));
  eventLoopDelay(metrics, delayEveryMs);
  countsOfMetrics(metrics);
}

/** Without a limit, what Go's processes say there: the largest of unsigned numbers. */
function maxVirtualBytes(): number {
  const limit = /^Max address space\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return limit === 'unlimited' ? 2 ** 64 : Number(limit);
}

/** Metrics about metrics. Those of upstream's that are hidden or switched off are none of ours. */
function countsOfMetrics(metrics: Metrics): void {
  const help = '[BETA] The count of registered metrics broken by stability level and deprecation version.';
  metrics.add(
    new SampledFamily('registered_metrics_total', help, ['deprecated_version', 'stability_level'], 'counter', () => {
      const counts = new Map<string, number>();
      for (const text of metrics.helps()) {
        const level = /^\[(ALPHA|BETA|STABLE)\] /.exec(text)?.[1];
        if (level !== undefined) counts.set(level, (counts.get(level) ?? 0) + 1);
      }
      return Array.from(counts, ([level, count]): Sample => [['', level], count]);
    }),
  );
  for (const which of ['disabled', 'hidden']) {
    metrics.add(new SampledFamily(`${which}_metrics_total`, `[BETA] The count of ${which} metrics.`, [], 'counter', () => only(0)));
  }
}

function eventLoopDelay(metrics: Metrics, everyMs: number): void {
  const delay = monitorEventLoopDelay({ resolution: everyMs });
  delay.enable();
  const help = `How late the event loop came to a timer since the last look, seen every ${everyMs} ms.`;
  // A timer is what measures, and counts the time that it was to wait.
  const lateSeconds = (percent: number): number => Math.max(0, delay.percentile(percent) / 1e9 - everyMs / 1_000);
  metrics.add(
    new SampledFamily('coxswain_event_loop_delay_seconds', help, ['quantile'], 'gauge', () => {
      const samples = [50, 99, 100].map((percent): Sample => [[String(percent / 100)], lateSeconds(percent)]);
      delay.reset();
      return samples;
    }),
  );
}

function only(value: number | undefined): Sample[] {
  return value === undefined || Number.isNaN(value) ? [] : [[[], value]];
}

/** From /proc where that exists; undefined elsewhere. */
function proc(read: () => number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return read();
  } catch {
    return undefined;
  }
}
