import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodStatus } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import type { PodMetrics } from './pod-metrics.ts';

/** Observes once how long a pod took from first seen to running; never for one that was started before. */
export class StartWatch {
  readonly #metrics: PodMetrics;
  readonly #clock: Clock;
  #seenMs: number | undefined;

  constructor(pod: Pod, metrics: PodMetrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
    if (pod.status?.startTime === undefined) this.#seenMs = clock.monotonicMs();
  }

  /** What is now said of the pod. */
  see(pod: Pod, status: V1PodStatus): void {
    const { containerStatuses = [] } = status;
    if (this.#seenMs === undefined || containerStatuses.length === 0 || containerStatuses.some(({ started }) => started !== true)) return;
    this.#metrics.running(pod, status, { sinceSeenMs: this.#clock.monotonicMs() - this.#seenMs, nowMs: this.#clock.nowMs() });
    this.#seenMs = undefined;
  }
}
