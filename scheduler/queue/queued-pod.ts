import type { PodInfo } from '../framework/pod-info.ts';

/** Where a pod waits. `out` is with the scheduler, or nowhere any more. */
export type Place = 'active' | 'backoff' | 'unschedulable' | 'gated' | 'out';

/** A pod that waits for a node, with its history. Only the queue changes it. */
export interface QueuedPod {
  pod: PodInfo;
  place: Place;
  /** Grows with every move: heap entries of earlier places are stale. */
  ticket: number;
  /** Times it was taken. */
  attempts: number;
  /** When (monotonic) it came, or was last given back: the order among equals. */
  sinceMs: number;
  /** When (monotonic) it was first seen. */
  readonly firstSeenMs: number;
  /** When (monotonic) its back-off ends. */
  backoffUntilMs: number;
  /** An error, not the cluster's state, sent it back: it must wait out its back-off. */
  erred: boolean;
  /** Plugins that rejected it last. */
  rejectedBy: ReadonlySet<string>;
}
