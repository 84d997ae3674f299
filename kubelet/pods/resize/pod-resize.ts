// The in-place resize of one pod: pending (deferred or infeasible), in progress, completed. The allocation is persisted on disk and
// what the containers have is observed in the runtime; this keeps only the conditions for the status and which events were recorded.
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import type { RuntimePod } from '../../runtime/contract.ts';
import type { ResizeView } from '../status/conditions.ts';
import { allocationOf, isResized, type PendingResize, resizeMessage, withAllocation } from './allocation.ts';
import type { Allocations } from './allocations.ts';
import { isBehind } from './actuation.ts';

type RecordEvent = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

export class PodResize {
  readonly #uid: string;
  readonly #allocations: Allocations;
  readonly #clock: Clock;
  readonly #record: RecordEvent;
  /** See `actuation.ts`. */
  readonly actuated = new Map<string, string>();
  #pending: (PendingResize & { readonly generation: number }) | undefined;
  #progress: { readonly generation: number; readonly error: string | undefined } | undefined;
  #sinceMs: number | undefined;

  constructor(pod: Pod, allocations: Allocations, clock: Clock, record: RecordEvent) {
    this.#uid = pod.metadata.uid ?? '';
    this.#allocations = allocations;
    this.#clock = clock;
    this.#record = record;
    // A kubelet that was restarted during a resize continues from the conditions in the status.
    const begun = pod.status?.conditions?.find(({ type }) => type === 'PodResizeInProgress');
    if (begun !== undefined) this.#progress = { generation: begun.observedGeneration ?? 0, error: begun.message };
    const put = pod.status?.conditions?.find(({ type }) => type === 'PodResizePending');
    if (put?.reason === 'Deferred' || put?.reason === 'Infeasible') {
      this.#pending = { reason: put.reason, message: put.message ?? '', generation: put.observedGeneration ?? 0 };
    }
  }

  /** Since when the resize is pending, in milliseconds of the clock. */
  get sinceMs(): number {
    return this.#sinceMs ?? this.#clock.nowMs();
  }

  get view(): ResizeView {
    return { pending: this.#pending && { reason: this.#pending.reason, message: this.#pending.message }, progress: this.#progress };
  }

  /** The pod as the node is to run it: with its allocated resources. */
  allocated(asked: Pod): Pod {
    return withAllocation(asked, this.#allocations.get(this.#uid));
  }

  /** True when the requested resources differ from the allocated ones. */
  isRequested(asked: Pod): boolean {
    const allocation = this.#allocations.get(this.#uid);
    const isRequested = allocation !== undefined && isResized(asked, allocation);
    if (!isRequested) this.#pending = undefined;
    return isRequested;
  }

  /** The node's answer to the request: allocated (undefined), or why it is pending. */
  answer(asked: Pod, why: PendingResize | undefined): void {
    const generation = asked.metadata.generation ?? 0;
    if (why === undefined) {
      this.#allocations.set(this.#uid, allocationOf(asked));
      this.#pending = undefined;
      this.#sinceMs = undefined;
      this.#progress = { generation, error: undefined };
      this.#record('Normal', 'ResizeStarted', resizeMessage('Pod resize started', asked));
      return;
    }
    this.#sinceMs ??= this.#clock.nowMs();
    const known = this.#pending;
    if (known?.reason === why.reason && known.message === why.message && known.generation === generation) return;
    this.#pending = { ...why, generation };
    this.#record('Warning', `Resize${why.reason}`, resizeMessage(`Pod resize ${why.reason}`, asked, why.message));
  }

  /** The outcome of an actuation: its error, or undefined. */
  acted(pod: Pod, error: string | undefined): void {
    if (this.#progress === undefined) return;
    if (error !== undefined && error !== this.#progress.error) {
      this.#record('Warning', 'ResizeError', resizeMessage('Pod resize error', pod, error));
    }
    this.#progress = { ...this.#progress, error };
  }

  /** Checks what runs. True once when a resize is found to be complete. */
  isDone(pod: Pod, observed: RuntimePod | undefined): boolean {
    for (const id of this.actuated.keys()) if (id !== '' && !observed?.containers.some((one) => one.id === id)) this.actuated.delete(id);
    if (this.#progress === undefined || isBehind(pod, observed, this.actuated)) return false;
    this.#progress = undefined;
    this.#record('Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', pod));
    return true;
  }
}
