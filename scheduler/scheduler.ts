// Scheduling cycles are serial, binding cycles concurrent. The loop takes a pod, decides synchronously, assumes the pod on its node and
// continues, with a bounded number of bindings in progress. A binding that fails releases the assumed resources and requeues the pod.
// Informer events change ClusterState and the queue between cycles, never within one.
import { setImmediate } from 'node:timers/promises';
import equal from 'fast-deep-equal';
import { namespace as namespaceKind } from '#api/core/namespace.ts';
import { node as nodeKind } from '#api/core/node/node.ts';
import { type Pod, pod as podKind } from '#api/core/pod/pod.ts';
import { isResizing } from '#api/core/pod/pod-resources.ts';
import { keyOf } from '#api/meta/object.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type Client, TransportError } from '#client/client.ts';
import { cached, type CachedKind, type ClusterCache } from '#client/cluster-cache.ts';
import { type ActionRecorder, referenceTo } from '#client/events.ts';
import type { Change } from '#client/informer.ts';
import { decide } from './framework/decide.ts';
import { type PodInfo, podInfoOf } from './framework/pod-info.ts';
import type { Prepared, Profile } from './framework/profile.ts';
import { isLess, requestsOf } from './framework/requests.ts';
import type { ExtensionPoint, PointStatus, SchedulerMetrics } from './metrics.ts';
import { type NotScheduled, notScheduledPatch } from './pod-status.ts';
import { evictVictims, type Room } from './preemption/evict-victims.ts';
import type { Preemption } from './preemption/preempt.ts';
import type { QueuedPod } from './queue/queued-pod.ts';
import { SchedulingQueue } from './queue/scheduling-queue.ts';
import { ClusterState } from './snapshot/cluster-state.ts';

interface SchedulerDeps {
  readonly client: Client;
  /** Must cache `schedulerKinds`, and be started before. */
  readonly cluster: ClusterCache;
  readonly profile: Profile;
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: ((queue: () => SchedulingQueue) => SchedulerMetrics) | undefined;
  /** After this time an unschedulable pod is retried without an event; default 5 minutes. */
  readonly maxUnschedulableMs?: number | undefined;
  /** Numbers in [0, 1), for ties; default Math.random. */
  readonly random?: () => number;
}

/** The scheduler's informers: all namespaces, nodes and disruption budgets, and the pods that have not terminated. */
export const schedulerKinds: readonly CachedKind[] = [
  cached(namespaceKind, { transform: withoutManagedFields }),
  cached(nodeKind, { transform: withoutManagedFields }),
  cached(podDisruptionBudget, { transform: withoutManagedFields }),
  cached(podKind, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed', transform: withoutManagedFields }),
];

/** Maximum number of concurrent bindings and other writes. */
const writeLimit = 100;
/** How long cycles may run back to back before the loop yields to other work on this thread. */
const stretchMs = 5;
const noteLimit = 1_024;

export class Scheduler implements Service {
  readonly name = 'scheduler';
  readonly queue: SchedulingQueue;
  readonly #deps: SchedulerDeps;
  readonly #state: ClusterState;
  readonly #metrics: SchedulerMetrics | undefined;
  readonly #writes = new Set<Promise<void>>();
  #startIndex = 0;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    this.#state = new ClusterState(deps.clock);
    this.#metrics = deps.metrics?.(() => this.queue);
    this.queue = new SchedulingQueue({
      clock: deps.clock,
      profile: deps.profile,
      ...(deps.maxUnschedulableMs === undefined ? {} : { maxUnschedulableMs: deps.maxUnschedulableMs }),
      onArrival: (place, cause) => this.#metrics?.arrived(place, cause),
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { cluster } = this.#deps;
    // Nodes before pods, so that bound pods are counted from the start.
    const unsubscribe = [
      cluster.informer(namespaceKind).subscribe(({ type, object: { metadata } }) => {
        this.#state.setNamespace(metadata.name ?? '', type === 'removed' ? undefined : (metadata.labels ?? {}));
      }),
      cluster.informer(nodeKind).subscribe((change) => this.#nodeChanged(change)),
      cluster.informer(podKind).subscribe((change) => this.#podChanged(change)),
    ];
    ready();
    try {
      await Promise.all([this.queue.run(signal), this.#expire(signal), this.#loop(signal)]);
    } finally {
      for (const end of unsubscribe) end();
      await Promise.allSettled(this.#writes);
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let sinceMs = clock.monotonicMs();
    while (!signal.aborted) {
      let queued = this.queue.tryTake();
      if (queued === undefined) {
        const taken = await this.queue.take(signal).catch(() => undefined);
        if (taken === undefined) return;
        queued = taken;
        sinceMs = clock.monotonicMs();
      }
      this.#cycle(queued, signal);
      if (this.#writes.size >= writeLimit) await Promise.race(this.#writes);
      if (clock.monotonicMs() - sinceMs >= stretchMs) {
        await setImmediate();
        sinceMs = clock.monotonicMs();
      }
    }
  }

  /** One scheduling cycle, synchronous up to the start of the binding cycle. */
  #cycle(queued: QueuedPod, signal: AbortSignal): void {
    const { clock, profile, random = Math.random, log, events } = this.#deps;
    const { pod } = queued;
    const startedMs = clock.monotonicMs();
    const { namespace, name, deletionTimestamp } = pod.pod.metadata;
    if (deletionTimestamp !== undefined) {
      this.queue.remove(pod.uid);
      const note = `skip schedule deleting pod: ${namespace}/${name}`;
      events.record({ regarding: referenceTo(pod.pod), type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note });
      return;
    }
    try {
      const nominated = this.queue.nominated();
      const decision = decide({
        profile,
        pod,
        cluster: this.#state,
        startIndex: this.#startIndex,
        random,
        budgets: () => this.#deps.cluster.list<PodDisruptionBudget>(podDisruptionBudget),
        passed: this.#lap(startedMs),
        ...(nominated === undefined ? {} : { nominated }),
      });
      this.#startIndex = decision.nextIndex;
      this.#metrics?.decided((clock.monotonicMs() - startedMs) / 1_000);
      if (decision.kind === 'node') {
        const undo = this.#assume(pod, decision.nodeName, decision.prepared);
        this.#track(this.#bind(queued, decision.nodeName, { undo, startedMs }, signal));
        return;
      }
      const nominatedNodeName = this.#preempt(queued, decision.preemption, signal);
      this.queue.giveBackRejected(queued, decision.rejectedBy);
      const why = { reason: 'Unschedulable', message: decision.message, nominatedNodeName } as const;
      this.#notScheduled({ ...queued, pod }, why, startedMs, signal);
    } catch (error) {
      log.error({ err: error, pod: `${namespace}/${name}` }, 'deciding failed');
      this.queue.giveBackErred(queued);
      this.#notScheduled(queued, { reason: 'SchedulerError', message: String(error) }, startedMs, signal);
    }
  }

  /** Starts the preemption. Returns the nominated node, '' to clear the nomination, undefined to leave it. */
  #preempt(queued: QueuedPod, preemption: Preemption | undefined, signal: AbortSignal): string | undefined {
    if (preemption === undefined) return undefined;
    this.#metrics?.preempted(preemption.kind === 'victims' ? preemption.pods.length : undefined);
    if (preemption.kind === 'waits') return undefined;
    const { pod } = queued;
    const nodeName = preemption.kind === 'victims' ? preemption.nodeName : '';
    const before = this.queue.nominated()?.get(nodeName) ?? [];
    // In the queue at once: the next cycle must already respect the nomination.
    const status = { ...pod.pod.status, nominatedNodeName: nodeName };
    if (nodeName !== (pod.pod.status?.nominatedNodeName ?? '')) this.queue.update({ ...pod, pod: { ...pod.pod, status } }, false);
    if (preemption.kind === 'victims') {
      const outranked = before.filter((other) => other.priority < pod.priority);
      this.#track(this.#evict({ pod, nodeName, victims: preemption.pods, outranked }, signal));
    }
    return nodeName;
  }

  async #evict(room: Room, signal: AbortSignal): Promise<void> {
    const { client, events, clock, profile, log } = this.#deps;
    try {
      await evictVictims({ client, events, clock, schedulerName: profile.schedulerName }, room, signal);
    } catch (error) {
      // The pod is retried, and finds the same victims or others.
      if (!signal.aborted) log.warn({ err: error, pod: room.pod.pod.metadata.name, node: room.nodeName }, 'preemption failed');
    }
  }

  /** Measures the extension points: each call observes the time since the previous one. */
  #lap(startedMs: number): ((point: ExtensionPoint, status: PointStatus) => void) | undefined {
    const metrics = this.#metrics;
    if (metrics === undefined) return undefined;
    const { clock } = this.#deps;
    let sinceMs = startedMs;
    return (point, status) => {
      const nowMs = clock.monotonicMs();
      metrics.passed(point, status, (nowMs - sinceMs) / 1_000);
      sinceMs = nowMs;
    };
  }

  /** Assumes the pod on the node and runs Reserve; returns the function that runs Unreserve. */
  #assume(pod: PodInfo, nodeName: string, prepared: readonly Prepared[]): () => void {
    this.#state.assume(pod, nodeName);
    const lap = this.#lap(this.#deps.clock.monotonicMs());
    const undos = prepared.map(({ plugin, state }) => plugin.reserve?.(pod, nodeName, state)).filter((undo) => undo !== undefined);
    lap?.('Reserve', 'Success');
    return () => {
      for (const undo of undos.toReversed()) undo();
    };
  }

  async #bind(
    queued: QueuedPod,
    nodeName: string,
    attempt: { readonly undo: () => void; readonly startedMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { profile, events, clock } = this.#deps;
    const { pod } = queued;
    const { namespace, name } = pod.pod.metadata;
    let step = 'Permit';
    let point: ExtensionPoint = 'Permit';
    const lap = this.#lap(clock.monotonicMs());
    try {
      for (const plugin of profile.plugins) {
        step = `Permit plugin ${JSON.stringify(plugin.name)}`;
        await plugin.permit?.(pod, nodeName, signal);
      }
      lap?.(point, 'Success');
      point = 'Bind';
      const binder = profile.plugins.find(({ bind }) => bind !== undefined);
      step = `Bind plugin ${JSON.stringify(binder?.name ?? '')}`;
      if (binder?.bind === undefined) throw new Error('the profile has no plugin that binds');
      await binder.bind(pod, nodeName, signal);
      lap?.(point, 'Success');
    } catch (error) {
      lap?.(point, 'Error');
      if (!signal.aborted)
        this.#bindFailed(queued, attempt, `running ${step}: ${error instanceof Error ? error.message : String(error)}`, error, signal);
      return;
    }
    this.#state.bound(pod.uid);
    this.queue.remove(pod.uid);
    events.record({
      regarding: referenceTo(pod.pod),
      type: 'Normal',
      reason: 'Scheduled',
      action: 'Binding',
      note: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
    });
    const nowMs = clock.monotonicMs();
    this.#metrics?.attempted('scheduled', (nowMs - attempt.startedMs) / 1_000);
    this.#metrics?.bound(queued.attempts, (nowMs - queued.firstSeenMs) / 1_000);
  }

  #bindFailed(
    queued: QueuedPod,
    attempt: { readonly undo: () => void; readonly startedMs: number },
    message: string,
    error: unknown,
    signal: AbortSignal,
  ): void {
    const { cluster, log } = this.#deps;
    const { pod } = queued;
    attempt.undo();
    this.#state.forget(pod.uid);
    this.queue.happened({ event: 'pod-removed', pod });
    const now = cluster.get(podKind, keyOf(pod.pod));
    const isGone = now === undefined || now.metadata.uid !== pod.uid || hasReason(error, 'NotFound');
    if (isGone || (now.spec.nodeName ?? '') !== '') {
      this.queue.remove(pod.uid);
      return;
    }
    // An unreachable server cannot take the condition either.
    if (error instanceof TransportError) log.warn({ err: error, pod: pod.pod.metadata.name }, 'binding failed, trying again');
    else this.#notScheduled(queued, { reason: 'SchedulerError', message }, attempt.startedMs, signal);
    this.queue.giveBackErred(queued);
  }

  /** Reports why the pod is pending: an event and the PodScheduled condition. */
  #notScheduled(queued: QueuedPod, why: NotScheduled, startedMs: number, signal: AbortSignal): void {
    const { clock, events } = this.#deps;
    const { pod } = queued.pod;
    const note = why.message.length <= noteLimit ? why.message : `${why.message.slice(0, noteLimit - 4)} ...`;
    events.record({ regarding: referenceTo(pod), type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note });
    this.#metrics?.attempted(why.reason === 'Unschedulable' ? 'unschedulable' : 'error', (clock.monotonicMs() - startedMs) / 1_000);
    const patch = notScheduledPatch(pod, why, clock.nowMs());
    if (patch !== undefined) this.#track(this.#patchStatus(pod, patch, signal));
  }

  async #patchStatus(pod: Pod, patch: object, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.client.patch(podKind, keyOf(pod), patch, { type: 'strategic', subresource: 'status' }, signal);
    } catch (error) {
      // The next attempt writes it again; a pod that is gone needs none.
      if (!signal.aborted && !hasReason(error, 'NotFound', 'Conflict')) {
        this.#deps.log.warn({ err: error, pod: pod.metadata.name }, 'pod status not written');
      }
    }
  }

  /** Tracks a write until it settles; it must not reject. */
  #track(write: Promise<void>): void {
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }

  /** Expires assumed pods whose binding was never observed: the informer's object decides. */
  async #expire(signal: AbortSignal): Promise<void> {
    const { clock, cluster, log } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(1_000, signal).catch(() => undefined);
      for (const pod of this.#state.expireAssumed()) {
        log.warn({ pod: pod.pod.metadata.name }, 'a bound pod was not seen bound');
        const now = cluster.get(podKind, keyOf(pod.pod));
        if (now !== undefined && (now.spec.nodeName ?? '') === '' && !this.queue.has(pod.uid)) this.queue.add(podInfoOf(now));
      }
    }
  }

  #nodeChanged(change: Change<{ metadata: { name?: string } }>): void {
    if (change.type === 'removed') {
      this.#state.removeNode(change.object.metadata.name ?? '');
      return;
    }
    for (const happening of this.#state.setNode(change.object)) this.queue.happened(happening);
  }

  #podChanged(change: Change<Pod>): void {
    const { object } = change;
    const uid = object.metadata.uid ?? '';
    const isOver = change.type === 'removed' || object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed';
    if (isOver) this.#podRemoved(object);
    else if ((object.spec.nodeName ?? '') !== '') this.#podBound(change.type === 'updated' ? change.previous : undefined, object);
    else if (!this.#state.isAssumed(uid) && (object.spec.schedulerName ?? 'default-scheduler') === this.#deps.profile.schedulerName) {
      if (!this.queue.has(uid)) this.queue.add(podInfoOf(object));
      else this.queue.update(podInfoOf(object), change.type === 'updated' && isRelevant(change.previous, object));
    }
  }

  #podRemoved(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const hadNode = (pod.spec.nodeName ?? '') !== '' || this.#state.isAssumed(uid);
    this.queue.remove(uid);
    if (!hadNode) return;
    this.#state.removePod(uid);
    this.queue.happened({ event: 'pod-removed', pod: podInfoOf(pod) });
  }

  #podBound(previous: Pod | undefined, pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const wasThere = previous !== undefined && (previous.spec.nodeName ?? '') !== '';
    // Most updates change the status only, which affects resources only in a resize.
    const isResized = previous !== undefined && (isResizing(previous.status) || isResizing(pod.status));
    if (wasThere && !this.#state.isAssumed(uid) && !isResized && !isRelevant(previous, pod)) return;
    this.queue.remove(uid);
    this.#state.setPod(pod);
    const info = podInfoOf(pod);
    this.queue.happened({ event: 'pod-assigned', pod: info });
    if (wasThere && isLess(info.requests, requestsOf(previous.spec, 'as zero', previous.status)))
      this.queue.happened({ event: 'pod-shrunk', pod: info });
  }
}

/** True when a field outside of the status changed that scheduling depends on. */
function isRelevant(previous: Pod, next: Pod): boolean {
  const { generation } = next.metadata;
  const sameSpec = generation !== undefined && generation === previous.metadata.generation ? true : equal(previous.spec, next.spec);
  return (
    !sameSpec ||
    previous.metadata.deletionTimestamp !== next.metadata.deletionTimestamp ||
    !equal(previous.metadata.labels, next.metadata.labels) ||
    !equal(previous.metadata.annotations, next.metadata.annotations)
  );
}

function withoutManagedFields<T extends { metadata: { managedFields?: unknown } }>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}
