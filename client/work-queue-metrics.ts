import type { Clock } from '#base/clock.ts';
import type { Metrics } from '#base/metrics.ts';
import type { WorkQueue, WorkQueueObserver } from './work-queue.ts';

/** 10 ns to 10 s, a step for each power of ten, as upstream's. */
const secondsBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];

/** Counts what happens to the queue `name`, under upstream's metric names. */
export function workQueueMetrics(metrics: Metrics, name: string): WorkQueueObserver {
  const labels = ['name'] as const;
  const depth = metrics.gauge('workqueue_depth', '[BETA] Current depth of workqueue', labels);
  const adds = metrics.counter('workqueue_adds_total', '[BETA] Total number of adds handled by workqueue', labels);
  const retries = metrics.counter('workqueue_retries_total', '[BETA] Total number of retries handled by workqueue', labels);
  const waited = metrics.histogram(
    'workqueue_queue_duration_seconds',
    '[BETA] How long in seconds an item stays in workqueue before being requested.',
    secondsBuckets,
    labels,
  );
  const worked = metrics.histogram(
    'workqueue_work_duration_seconds',
    '[BETA] How long in seconds processing an item from workqueue takes.',
    secondsBuckets,
    labels,
  );
  depth.set({ name }, 0);
  return {
    added: (now) => {
      adds.inc({ name });
      depth.set({ name }, now);
    },
    taken: (now, waitedMs) => {
      depth.set({ name }, now);
      waited.observe({ name }, waitedMs / 1_000);
    },
    finished: (workedMs) => worked.observe({ name }, workedMs / 1_000),
    retried: () => retries.inc({ name }),
  };
}

/** Shows, whenever metrics are read, how long work has been under way in these queues. */
export function observeUnfinishedWork(metrics: Metrics, queues: ReadonlyMap<string, WorkQueue>, clock: Clock): void {
  const secondsOf = (queue: WorkQueue): number[] => [...queue.processingSince].map((since) => (clock.monotonicMs() - since) / 1_000);
  metrics.gauge(
    'workqueue_unfinished_work_seconds',
    "[BETA] How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
    ['name'],
    (gauge) => {
      for (const [name, queue] of queues)
        gauge.set(
          { name },
          secondsOf(queue).reduce((sum, seconds) => sum + seconds, 0),
        );
    },
  );
  metrics.gauge(
    'workqueue_longest_running_processor_seconds',
    '[BETA] How many seconds has the longest running processor for workqueue been running.',
    ['name'],
    (gauge) => {
      for (const [name, queue] of queues) gauge.set({ name }, Math.max(0, ...secondsOf(queue)));
    },
  );
}
