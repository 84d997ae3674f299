import type { Metrics } from '#base/metrics.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';

/** What the scheduler counts, under upstream's names. */
export interface SchedulerMetrics {
  /** One decision, bound or not, and how long it took from being taken from the queue. */
  attempted(result: 'scheduled' | 'unschedulable' | 'error', seconds: number): void;
  /** The deciding part alone. */
  decided(seconds: number): void;
  /** A pod was bound: after how many attempts, and how long after it was first seen. */
  bound(attempts: number, seconds: number): void;
  arrived(place: string, cause: string): void;
}

const seconds = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
const waitSeconds = [0.01, 0.04, 0.16, 0.64, 2.56, 10.24, 40.96, 163.84, 655.36, 2_621.44];

export function schedulerMetrics(metrics: Metrics, profile: string, queue: () => SchedulingQueue): SchedulerMetrics {
  const attempts = metrics.counter(
    'scheduler_schedule_attempts_total',
    "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    ['result', 'profile'],
  );
  const attemptSeconds = metrics.histogram(
    'scheduler_scheduling_attempt_duration_seconds',
    'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    seconds,
    ['result', 'profile'],
  );
  const algorithm = metrics.histogram(
    'scheduler_scheduling_algorithm_duration_seconds',
    'Scheduling algorithm latency in seconds',
    seconds,
  );
  const podAttempts = metrics.histogram(
    'scheduler_pod_scheduling_attempts',
    'Number of attempts to successfully schedule a pod.',
    [1, 2, 4, 8, 16],
  );
  const sli = metrics.histogram(
    'scheduler_pod_scheduling_sli_duration_seconds',
    'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    waitSeconds,
    ['attempts'],
  );
  const incoming = metrics.counter(
    'scheduler_queue_incoming_pods_total',
    'Number of pods added to scheduling queues by event and queue type.',
    ['event', 'queue'],
  );
  metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type.', ['queue'], (gauge) => {
    for (const place of ['active', 'backoff', 'unschedulable', 'gated'] as const) gauge.set({ queue: place }, queue().count(place));
  });
  return {
    attempted: (result, took) => {
      attempts.inc({ result, profile });
      attemptSeconds.observe({ result, profile }, took);
    },
    decided: (took) => algorithm.observe(took),
    bound: (count, took) => {
      podAttempts.observe(count);
      sli.observe({ attempts: count >= 15 ? '15+' : String(count) }, took);
    },
    arrived: (place, cause) => incoming.inc({ event: cause, queue: place }),
  };
}
