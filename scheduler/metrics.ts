import {
  type CounterCell,
  CounterCells,
  type HistogramCell,
  HistogramCells,
  kept,
  type Sample,
  SampledFamily,
} from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';

/** Points of the framework that are timed, under upstream's names. */
export type ExtensionPoint = 'PreFilter' | 'Filter' | 'Score' | 'Reserve' | 'Permit' | 'Bind';
/** How a point ended, in upstream's words. */
export type PointStatus = 'Success' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Error';

/** What the scheduler counts, under upstream's names. */
export interface SchedulerMetrics {
  /** One decision, bound or not, and how long it took from being taken from the queue. */
  attempted(result: 'scheduled' | 'unschedulable' | 'error', seconds: number): void;
  /** The deciding part alone. */
  decided(seconds: number): void;
  /** All plugins of one point together. */
  passed(point: ExtensionPoint, status: PointStatus, seconds: number): void;
  /** A pod was bound: after how many attempts, and how long after it was first seen. */
  bound(attempts: number, seconds: number): void;
  arrived(place: string, cause: string): void;
  /** Room was looked for by sending others away; `victims` where some were found. */
  preempted(victims: number | undefined): void;
}

const doubling = (first: number, count: number): number[] => Array.from({ length: count }, (_, step) => first * 2 ** step);
const places = ['active', 'backoff', 'gated', 'unschedulable'] as const;
const pendingHelp =
  "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in " +
  "backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is " +
  'the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.';

export function schedulerMetrics(metrics: Metrics, profile: string, queue: () => SchedulingQueue): SchedulerMetrics {
  const { attempts, attemptSeconds, algorithm, points, podAttempts, sli, incoming, preemptions, victims } = families(metrics);
  metrics.add(
    new SampledFamily('scheduler_pending_pods', pendingHelp, ['queue'], 'gauge', () =>
      places.map((place): Sample => [[place], queue().count(place)]),
    ),
  );
  return {
    attempted: (result, took) => {
      attempts(profile, result).value++;
      attemptSeconds(profile, result).observe(took);
    },
    decided: (took) => algorithm.observe(took),
    passed: (point, status, took) => points(point, profile, status).observe(took),
    bound: (count, took) => {
      podAttempts.observe(count);
      sli(count >= 15 ? '15+' : String(count)).observe(took);
    },
    arrived: (place, cause) => void incoming(cause, place).value++,
    preempted: (count) => {
      preemptions.value++;
      if (count !== undefined) victims.observe(count);
    },
  };
}

interface Families {
  readonly attempts: (...labels: string[]) => CounterCell;
  readonly attemptSeconds: (...labels: string[]) => HistogramCell;
  readonly algorithm: HistogramCell;
  readonly points: (...labels: string[]) => HistogramCell;
  readonly podAttempts: HistogramCell;
  readonly sli: (...labels: string[]) => HistogramCell;
  readonly incoming: (...labels: string[]) => CounterCell;
  readonly preemptions: CounterCell;
  readonly victims: HistogramCell;
}

function families(metrics: Metrics): Families {
  const counter = (name: string, help: string, labels: readonly string[]): Families['attempts'] =>
    kept(metrics.add(new CounterCells(`scheduler_${name}`, help, labels)));
  const histogram = (name: string, help: string, buckets: readonly number[], labels: readonly string[]): Families['points'] =>
    kept(metrics.add(new HistogramCells(`scheduler_${name}`, help, buckets, labels)));
  return {
    attempts: counter(
      'schedule_attempts_total',
      "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
      ['profile', 'result'],
    ),
    attemptSeconds: histogram(
      'scheduling_attempt_duration_seconds',
      '[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)',
      doubling(0.001, 15),
      ['profile', 'result'],
    ),
    algorithm: histogram(
      'scheduling_algorithm_duration_seconds',
      '[BETA] Scheduling algorithm latency in seconds',
      doubling(0.001, 15),
      [],
    )(),
    points: histogram(
      'framework_extension_point_duration_seconds',
      '[STABLE] Latency for running all plugins of a specific extension point.',
      doubling(0.000_1, 12),
      ['extension_point', 'profile', 'status'],
    ),
    podAttempts: histogram('pod_scheduling_attempts', '[STABLE] Number of attempts to successfully schedule a pod.', doubling(1, 5), [])(),
    sli: histogram(
      'pod_scheduling_sli_duration_seconds',
      '[BETA] E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
      doubling(0.01, 20),
      ['attempts'],
    ),
    incoming: counter('queue_incoming_pods_total', '[STABLE] Number of pods added to scheduling queues by event and queue type.', [
      'event',
      'queue',
    ]),
    preemptions: counter('preemption_attempts_total', '[STABLE] Total preemption attempts in the cluster till now', [])(),
    victims: histogram('preemption_victims', '[STABLE] Number of selected preemption victims', doubling(1, 7), [])(),
  };
}
