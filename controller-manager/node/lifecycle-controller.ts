import { type Lease, lease } from '#api/coordination/lease.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { findCondition, withCondition } from '#api/meta/conditions.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, type ControllerDefinition, defineController, on, type Outcome, type ReconcileContext } from '#client/controller/define.ts';
import { timeText } from '#client/timestamps.ts';
import deepEqual from 'fast-deep-equal';
import { executeTaint, isReady, silentConditions, wantedTaints } from './lifecycle-plan.ts';

export interface NodeLifecycleOptions {
  /** How long a node may be silent before it counts as lost; upstream's --node-monitor-grace-period, 50 s. */
  readonly graceMs: number;
  /** The same for a node that was never heard of; upstream's --node-startup-grace-period, 60 s. */
  readonly startupGraceMs: number;
  /** How often each node is looked at; upstream's --node-monitor-period, 5 s. */
  readonly periodMs: number;
  /** Time between two nodes whose pods are driven off; upstream's --node-eviction-rate is 0.1 a second. */
  readonly evictionIntervalMs: number;
}

export const upstreamTimings: NodeLifecycleOptions = {
  graceMs: 50_000,
  startupGraceMs: 60_000,
  periodMs: 5_000,
  evictionIntervalMs: 10_000,
};
const leaseNamespace = 'kube-node-lease';

/** What a node was last seen to say, and when it was seen by this process's own clock: clocks of nodes may be wrong. */
interface Heartbeat {
  readonly mark: string;
  readonly seenMs: number;
}

/** Upstream's node-lifecycle-controller: says of silent nodes that they are, and taints nodes by their conditions. */
export function nodeLifecycleController(options: NodeLifecycleOptions): ControllerDefinition {
  const loop = new LifecycleLoop(options);
  return defineController<Node>({
    name: 'node-lifecycle-controller',
    reconciles: node,
    reads: [lease as never, pod as never],
    writes: [node as never, pod as never],
    wakes: [on<Lease>(lease, ({ metadata }) => (metadata.namespace === leaseNamespace ? [{ name: metadata.name ?? '' }] : []))],
    workers: 1,
    reconcile: (context) => loop.reconcile(context),
  });
}

class LifecycleLoop {
  readonly #options: NodeLifecycleOptions;
  readonly #heartbeats = new Map<string, Heartbeat>();
  #lastEvictionMs = Number.NEGATIVE_INFINITY;

  constructor(options: NodeLifecycleOptions) {
    this.#options = options;
  }

  async reconcile(context: ReconcileContext): Promise<Outcome> {
    const { key, cache, client, clock, signal } = context;
    const found = cache.get<Node>(node, key);
    if (found === undefined) {
      this.#heartbeats.delete(key.name);
      return { kind: 'done' };
    }
    const { graceMs, startupGraceMs, periodMs } = this.#options;
    const silentMs = clock.monotonicMs() - this.#hear(found, context).seenMs;
    const neverHeard = findCondition(found.status?.conditions, 'Ready') === undefined;
    let current = found;
    if (silentMs > (neverHeard ? startupGraceMs : graceMs)) current = await this.#declareSilent(found, context);
    const taints = wantedTaints(current, { mayEvict: this.#mayEvict(current, context), nowMs: clock.nowMs() });
    if (!deepEqual(taints, current.spec?.taints ?? [])) {
      const body = { metadata: { uid: found.metadata.uid, resourceVersion: current.metadata.resourceVersion }, spec: { taints } };
      await client.patch<Node>(node, key, body, { type: 'merge' }, signal);
    }
    return again(periodMs);
  }

  /** Notes what the node says now: its lease and its own heartbeat, whichever changes. */
  #hear(object: Node, { cache, clock }: ReconcileContext): Heartbeat {
    const name = object.metadata.name ?? '';
    const held = cache.get<Lease>(lease, { namespace: leaseNamespace, name });
    const mark = `${object.metadata.uid} ${held?.spec?.renewTime ?? ''} ${findCondition(object.status?.conditions, 'Ready')?.lastHeartbeatTime ?? ''}`;
    const known = this.#heartbeats.get(name);
    if (known?.mark === mark) return known;
    const heard = { mark, seenMs: clock.monotonicMs() };
    this.#heartbeats.set(name, heard);
    return heard;
  }

  async #declareSilent(object: Node, context: ReconcileContext): Promise<Node> {
    const { client, clock, events, log, signal } = context;
    const conditions = silentConditions(object, clock.nowMs());
    if (deepEqual(conditions, object.status?.conditions ?? [])) return object;
    log.warn({ node: object.metadata.name }, 'a node has not been heard of for too long');
    const next = await client.update<Node>(
      node,
      { ...object, status: { ...object.status, conditions } },
      { subresource: 'status' },
      signal,
    );
    const name = object.metadata.name ?? '';
    events.event(object, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    await this.#markPods(name, context);
    return next;
  }

  /** Pods of a lost node serve nobody: their Ready condition says so, and Services leave them out. */
  async #markPods(nodeName: string, { cache, client, clock, signal }: ReconcileContext): Promise<void> {
    const there = cache.list<Pod>(pod).filter(({ spec }) => spec.nodeName === nodeName);
    for (const one of there) {
      const ready = findCondition(one.status?.conditions, 'Ready');
      if (ready?.status !== 'True') continue;
      const lost = {
        ...ready,
        status: 'False',
        reason: 'NodeNotReady',
        message: 'Node is not ready',
        lastTransitionTime: timeText(clock.nowMs()),
      };
      const conditions = withCondition(one.status?.conditions, lost);
      try {
        await client.update<Pod>(pod, { ...one, status: { ...one.status, conditions } }, { subresource: 'status' }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
      }
    }
  }

  /** One node at a time, and none while no node is ready: then it is this process that is cut off, or the whole cluster. */
  #mayEvict(object: Node, { cache, clock }: ReconcileContext): boolean {
    if (executeTaint(object) === undefined) return false;
    const others = cache.list<Node>(node).filter(({ metadata }) => metadata.uid !== object.metadata.uid);
    if (!others.some(isReady)) return false;
    if (clock.monotonicMs() - this.#lastEvictionMs < this.#options.evictionIntervalMs) return false;
    this.#lastEvictionMs = clock.monotonicMs();
    return true;
  }
}
