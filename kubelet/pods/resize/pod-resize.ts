// How far the resize of one pod has come: asked for, put off, being given, done. What was set aside is remembered on the disk, whether
// the containers have it is seen in the runtime; what is kept here are only the words for the status and which events were sent.
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import type { RuntimePod } from '../../runtime/contract.ts';
import type { ResizeView } from '../status/conditions.ts';
import { allocationOf, isResized, type PendingResize, resizeMessage, withAllocation } from './allocation.ts';
import type { Allocations } from './allocations.ts';
import { isBehind } from './actuation.ts';

type Say = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

export class PodResize {
  readonly #uid: string;
  readonly #allocations: Allocations;
  readonly #clock: Clock;
  readonly #say: Say;
  /** What the engine was told, for `actuation.ts`. */
  readonly told = new Map<string, string>();
  #pending: (PendingResize & { readonly generation: number }) | undefined;
  #progress: { readonly generation: number; readonly error: string | undefined } | undefined;
  #sinceMs: number | undefined;

  constructor(pod: Pod, allocations: Allocations, clock: Clock, say: Say) {
    this.#uid = pod.metadata.uid ?? '';
    this.#allocations = allocations;
    this.#clock = clock;
    this.#say = say;
    // An earlier kubelet was in the midst of it.
    const begun = pod.status?.conditions?.find(({ type }) => type === 'PodResizeInProgress');
    if (begun !== undefined) this.#progress = { generation: begun.observedGeneration ?? 0, error: begun.message };
    const put = pod.status?.conditions?.find(({ type }) => type === 'PodResizePending');
    if (put?.reason === 'Deferred' || put?.reason === 'Infeasible') {
      this.#pending = { reason: put.reason, message: put.message ?? '', generation: put.observedGeneration ?? 0 };
    }
  }

  /** Since when it waits. */
  get sinceMs(): number {
    return this.#sinceMs ?? this.#clock.nowMs();
  }

  get view(): ResizeView {
    return { pending: this.#pending && { reason: this.#pending.reason, message: this.#pending.message }, progress: this.#progress };
  }

  /** The pod as the node is to run it: with what was set aside for it. */
  allocated(asked: Pod): Pod {
    return withAllocation(asked, this.#allocations.get(this.#uid));
  }

  /** True when a pod asks for other amounts than it was given. */
  isAskedFor(asked: Pod): boolean {
    const allocation = this.#allocations.get(this.#uid);
    const isAsked = allocation !== undefined && isResized(asked, allocation);
    if (!isAsked) this.#pending = undefined;
    return isAsked;
  }

  /** The node's answer to what is asked for: set aside now, or put off for these reasons. */
  answer(asked: Pod, why: PendingResize | undefined): void {
    const generation = asked.metadata.generation ?? 0;
    if (why === undefined) {
      this.#allocations.set(this.#uid, allocationOf(asked));
      this.#pending = undefined;
      this.#sinceMs = undefined;
      this.#progress = { generation, error: undefined };
      this.#say('Normal', 'ResizeStarted', resizeMessage('Pod resize started', asked));
      return;
    }
    this.#sinceMs ??= this.#clock.nowMs();
    const known = this.#pending;
    if (known?.reason === why.reason && known.message === why.message && known.generation === generation) return;
    this.#pending = { ...why, generation };
    this.#say('Warning', `Resize${why.reason}`, resizeMessage(`Pod resize ${why.reason}`, asked, why.message));
  }

  /** What came of telling the engine. */
  acted(pod: Pod, error: string | undefined): void {
    if (this.#progress === undefined) return;
    if (error !== undefined && error !== this.#progress.error) {
      this.#say('Warning', 'ResizeError', resizeMessage('Pod resize error', pod, error));
    }
    this.#progress = { ...this.#progress, error };
  }

  /** A look at what runs. True when a resize was found to be done. */
  isDone(pod: Pod, observed: RuntimePod | undefined): boolean {
    for (const id of this.told.keys()) if (id !== '' && !observed?.containers.some((one) => one.id === id)) this.told.delete(id);
    if (this.#progress === undefined || isBehind(pod, observed, this.told)) return false;
    this.#progress = undefined;
    this.#say('Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', pod));
    return true;
  }
}
