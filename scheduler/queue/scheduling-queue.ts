// Pending pods, in four places: `active` (by priority, then by age), `backoff` (retried once their back-off has passed), `unschedulable`
// (rejected; until an event that a rejecting plugin registered for, or for five minutes at most) and `gated`.
// A scheduling cycle is synchronous, so no event can arrive between taking a pod and giving it back: none is missed.
// Heaps are never searched: a pod that moves gets a new ticket, and entries with an old ticket are dropped when they surface.
import type { Clock } from '#base/clock.ts';
import { Heap } from '#client/heap.ts';
import type { Happening } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Profile } from '../framework/profile.ts';
import type { Place, QueuedPod } from './queued-pod.ts';

interface SchedulingQueueOptions {
  readonly clock: Clock;
  readonly profile: Profile;
  /** Default 1 s. */
  readonly initialBackoffMs?: number;
  /** Default 10 s. */
  readonly maxBackoffMs?: number;
  /** How long a rejected pod waits for an event; default 5 minutes. */
  readonly maxUnschedulableMs?: number;
  /** Called for every pod that enters a place, with the cause. */
  readonly onArrival?: (place: Place, cause: string) => void;
}

interface Entry {
  readonly queued: QueuedPod;
  readonly ticket: number;
}

const tickMs = 1_000;

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #profile: Profile;
  readonly #initialBackoffMs: number;
  readonly #maxBackoffMs: number;
  readonly #maxUnschedulableMs: number;
  readonly #onArrival: ((place: Place, cause: string) => void) | undefined;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active = new Heap<Entry>((a, b) => byPriority(a.queued, b.queued) || a.ticket - b.ticket);
  readonly #backoff = new Heap<Entry>((a, b) => a.queued.backoffUntilMs - b.queued.backoffUntilMs || byPriority(a.queued, b.queued));
  readonly #unschedulable = new Set<QueuedPod>();
  readonly #counts: Record<Place, number> = { active: 0, backoff: 0, unschedulable: 0, gated: 0, out: 0 };
  #tickets = 0;
  #wake: (() => void) | undefined;

  constructor(options: SchedulingQueueOptions) {
    this.#clock = options.clock;
    this.#profile = options.profile;
    this.#initialBackoffMs = options.initialBackoffMs ?? 1_000;
    this.#maxBackoffMs = options.maxBackoffMs ?? 10_000;
    this.#maxUnschedulableMs = options.maxUnschedulableMs ?? 300_000;
    this.#onArrival = options.onArrival;
  }

  count(place: Place): number {
    return this.#counts[place];
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** Pending pods with a nominated node, by node; undefined where there are none. */
  nominated(): ReadonlyMap<string, readonly PodInfo[]> | undefined {
    if (this.#nominated === undefined) {
      const nominated = [...this.#pods.values()].map(({ pod }) => pod).filter((pod) => nominatedNode(pod) !== '');
      this.#nominated = { byNode: nominated.length === 0 ? undefined : Map.groupBy(nominated, nominatedNode) };
    }
    return this.#nominated.byNode;
  }
  /** Undefined when it must be recomputed. */
  #nominated: { readonly byNode: ReadonlyMap<string, readonly PodInfo[]> | undefined } | undefined;

  /** A pod without a node appeared. */
  add(pod: PodInfo): void {
    const nowMs = this.#clock.monotonicMs();
    const queued: QueuedPod = {
      pod,
      place: 'out',
      ticket: 0,
      attempts: 0,
      sinceMs: nowMs,
      firstSeenMs: nowMs,
      backoffUntilMs: 0,
      erred: false,
      rejectedBy: new Set(),
    };
    this.#pods.set(pod.uid, queued);
    this.#nominationChanged(pod);
    this.#admit(queued, 'PodAdd');
  }

  /** Updates a pending pod; `mattered`: a field changed that scheduling depends on. */
  update(pod: PodInfo, mattered: boolean): void {
    const queued = this.#pods.get(pod.uid);
    if (queued === undefined) return;
    this.#nominationChanged(queued.pod);
    this.#nominationChanged(pod);
    queued.pod = pod;
    if (!mattered) return;
    const worth = this.#profile.isWorthRetrying(pod, queued.rejectedBy, { event: 'pod-changed', pod });
    if (queued.place === 'gated' || (queued.place === 'unschedulable' && worth)) this.#admit(queued, 'PodUpdate');
  }

  /** The pod is gone, or has a node. */
  remove(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#move(queued, 'out');
    this.#pods.delete(uid);
    this.#nominationChanged(queued.pod);
  }

  /** The next pod to decide for; waits for one. It is out of the queue until given back. One caller at a time. */
  async take(signal: AbortSignal): Promise<QueuedPod> {
    for (;;) {
      const next = this.tryTake();
      if (next !== undefined) return next;
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wake = undefined;
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  /** The next pod, if any. While no pod is active, pods in back-off are taken early, unless their last attempt failed with an error. */
  tryTake(): QueuedPod | undefined {
    const next = this.#popCurrent(this.#active) ?? this.#popEarly();
    if (next === undefined) return undefined;
    this.#move(next, 'out');
    next.attempts++;
    return next;
  }

  /** Returns a pod that no node fits: it waits for an event that one of the plugins in `rejectedBy` registered for. */
  giveBackRejected(queued: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    if (!this.#stillWaits(queued)) return;
    queued.rejectedBy = rejectedBy;
    this.#noteAttempt(queued, false);
    this.#move(queued, 'unschedulable');
    this.#onArrival?.('unschedulable', 'ScheduleAttemptFailure');
  }

  /** Returns a pod whose attempt failed with an error: it is retried after its back-off. */
  giveBackErred(queued: QueuedPod): void {
    if (!this.#stillWaits(queued)) return;
    queued.rejectedBy = new Set();
    this.#noteAttempt(queued, true);
    this.#move(queued, 'backoff');
    this.#onArrival?.('backoff', 'ScheduleAttemptFailure');
  }

  /** Requeues the unschedulable pods that this event may make schedulable. */
  happened(happening: Happening): void {
    for (const queued of this.#unschedulable) {
      if (this.#profile.isWorthRetrying(queued.pod, queued.rejectedBy, happening)) this.#requeue(queued, happening.event);
    }
  }

  /** Requeues pods whose back-off or timeout has passed, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(tickMs, signal).catch(() => undefined);
      if (!signal.aborted) this.tick();
    }
  }

  /** One round of `run`. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let first = this.#peekCurrent(this.#backoff); first !== undefined; first = this.#peekCurrent(this.#backoff)) {
      if (first.backoffUntilMs > nowMs) break;
      this.#move(first, 'active');
      this.#onArrival?.('active', 'BackoffComplete');
    }
    for (const queued of this.#unschedulable) {
      if (nowMs - queued.sinceMs > this.#maxUnschedulableMs) this.#requeue(queued, 'UnschedulableTimeout');
    }
  }

  #stillWaits(queued: QueuedPod): boolean {
    return this.#pods.get(queued.pod.uid) === queued && queued.place === 'out';
  }

  #noteAttempt(queued: QueuedPod, erred: boolean): void {
    const nowMs = this.#clock.monotonicMs();
    queued.sinceMs = nowMs;
    queued.erred = erred;
    queued.backoffUntilMs = nowMs + Math.min(this.#maxBackoffMs, this.#initialBackoffMs * 2 ** (queued.attempts - 1));
  }

  #admit(queued: QueuedPod, cause: string): void {
    const gate = this.#profile.gate(queued.pod);
    if (gate === undefined) return this.#requeue(queued, cause);
    queued.rejectedBy = new Set([gate.plugin]);
    this.#move(queued, 'gated');
    this.#onArrival?.('gated', cause);
  }

  #requeue(queued: QueuedPod, cause: string): void {
    const place = queued.backoffUntilMs > this.#clock.monotonicMs() ? 'backoff' : 'active';
    this.#move(queued, place);
    this.#onArrival?.(place, cause);
  }

  #move(queued: QueuedPod, to: Place): void {
    this.#counts[queued.place]--;
    this.#counts[to]++;
    if (queued.place === 'unschedulable') this.#unschedulable.delete(queued);
    queued.place = to;
    queued.ticket = ++this.#tickets;
    const entry = { queued, ticket: queued.ticket };
    if (to === 'unschedulable') this.#unschedulable.add(queued);
    else if (to === 'active') this.#active.push(entry);
    else if (to === 'backoff') this.#backoff.push(entry);
    if (to === 'active' || to === 'backoff') this.#wake?.();
  }

  #popEarly(): QueuedPod | undefined {
    const first = this.#peekCurrent(this.#backoff);
    return first === undefined || first.erred ? undefined : this.#popCurrent(this.#backoff);
  }

  #popCurrent(heap: Heap<Entry>): QueuedPod | undefined {
    const first = this.#peekCurrent(heap);
    if (first !== undefined) heap.pop();
    return first;
  }

  #peekCurrent(heap: Heap<Entry>): QueuedPod | undefined {
    for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
      if (first.ticket === first.queued.ticket) return first.queued;
      heap.pop();
    }
    return undefined;
  }

  #nominationChanged(pod: PodInfo): void {
    if (nominatedNode(pod) !== '') this.#nominated = undefined;
  }
}

function byPriority(a: QueuedPod, b: QueuedPod): number {
  return b.pod.priority - a.pod.priority || a.sinceMs - b.sinceMs;
}

function nominatedNode({ pod }: PodInfo): string {
  return pod.status?.nominatedNodeName ?? '';
}
