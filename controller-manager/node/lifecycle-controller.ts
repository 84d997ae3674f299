// Says of silent nodes that they are, taints nodes by their conditions, and marks the pods of lost ones. Looks at each node every few
// seconds, since silence changes nothing that could wake it.
import { type Lease, lease } from '#api/coordination/lease.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { hasReason } from '#api/meta/status.ts';
import {
  again,
  type ControllerDefinition,
  defineController,
  done,
  on,
  type Outcome,
  type ReconcileContext,
} from '#client/controller/define.ts';
import { timeText } from '#client/timestamps.ts';
import deepEqual from 'fast-deep-equal';
import { byNode } from '../cache-indexes.ts';
import { setPodCondition } from '../pods/pod-condition.ts';
import { isReady as isPodReady } from '../pods/pod-state.ts';
import { type EvictionRates, evictionRate, upstreamRates, zoneOf } from './disruption.ts';
import { Heartbeats } from './heartbeats.ts';
import type { NodeMetrics } from './node-metrics.ts';
import { type Eviction, executeTaint, isBeingEmptied, isReady, isUnheard, silentConditions, wantedTaints } from './lifecycle-plan.ts';

export interface NodeLifecycleOptions {
  /** How long a node may be silent before it counts as lost; upstream's --node-monitor-grace-period. */
  readonly graceMs: number;
  /** The same for a node that was never heard of; upstream's --node-startup-grace-period. */
  readonly startupGraceMs: number;
  /** How often each node is looked at; upstream's --node-monitor-period. */
  readonly periodMs: number;
  readonly rates: EvictionRates;
}

export const upstreamTimings: NodeLifecycleOptions = { graceMs: 50_000, startupGraceMs: 60_000, periodMs: 5_000, rates: upstreamRates };
const leaseNamespace = 'kube-node-lease';

/** Upstream's node-lifecycle-controller. */
export function nodeLifecycleController(options: NodeLifecycleOptions, metrics?: NodeMetrics): ControllerDefinition {
  const loop = new LifecycleLoop(options, metrics);
  return defineController<Node>({
    name: 'node-lifecycle-controller',
    reconciles: node,
    reads: [lease, pod],
    writes: [node, pod],
    wakes: [on<Lease>(lease, ({ metadata }) => (metadata.namespace === leaseNamespace ? [{ name: metadata.name ?? '' }] : []))],
    workers: 1,
    reconcile: (context) => loop.reconcile(context),
  });
}

class LifecycleLoop {
  readonly #options: NodeLifecycleOptions;
  readonly #metrics: NodeMetrics | undefined;
  readonly #heartbeats = new Heartbeats();
  /** What events need of the nodes seen so far, by name. After a restart all are new again, as upstream's are. */
  readonly #known = new Map<string, Node>();
  /** By zone, by this process's own clock. */
  readonly #lastEvictionMs = new Map<string, number>();

  constructor(options: NodeLifecycleOptions, metrics: NodeMetrics | undefined) {
    this.#options = options;
    this.#metrics = metrics;
  }

  async reconcile(context: ReconcileContext): Promise<Outcome> {
    const { key, cache, client, clock, signal } = context;
    const found = cache.get<Node>(node, key);
    this.#metrics?.watching(() => cache.list<Node>(node));
    this.#notePresence(found, context);
    if (found === undefined) {
      this.#heartbeats.forget(key.name);
      return done;
    }
    const { graceMs, startupGraceMs, periodMs } = this.#options;
    const ready = findCondition(found.status?.conditions, 'Ready');
    const held = cache.get<Lease>(lease, { namespace: leaseNamespace, name: key.name });
    const mark = `${found.metadata.uid} ${held?.spec?.renewTime ?? ''} ${ready?.lastHeartbeatTime ?? ''}`;
    const isSilent = this.#heartbeats.silentMs(key.name, mark, clock) > (ready === undefined ? startupGraceMs : graceMs);
    const current = isSilent ? await declareSilent(found, context) : found;
    if (isUnheard(current)) await markPods(key.name, context);

    const taints = wantedTaints(current, { eviction: this.#eviction(current, context), nowMs: clock.nowMs() });
    if (!deepEqual(taints, current.spec?.taints ?? [])) {
      const { uid, resourceVersion } = current.metadata;
      await client.patch<Node>(node, key, { metadata: { uid, resourceVersion }, spec: { taints } }, { type: 'merge' }, signal);
      if (!isBeingEmptied(current) && taints.some(({ effect, key: taint }) => effect === 'NoExecute' && taint === executeTaint(current))) {
        this.#lastEvictionMs.set(zoneOf(current), clock.monotonicMs());
        this.#metrics?.evicted(zoneOf(current));
      }
    }
    return again(periodMs);
  }

  #notePresence(found: Node | undefined, { key: { name }, events }: ReconcileContext): void {
    const before = this.#known.get(name);
    if (before?.metadata.uid === found?.metadata.uid) return;
    const report = (about: Node, reason: string, what: string): void => {
      events.event(about, 'Normal', reason, `Node ${name} event: ${what}`);
    };
    if (before !== undefined) report(before, 'RemovingNode', `Removing Node ${name} from Controller`);
    if (found === undefined) {
      this.#known.delete(name);
      return;
    }
    report(found, 'RegisteredNode', `Registered Node ${name} in Controller`);
    const { uid = '' } = found.metadata;
    this.#known.set(name, { apiVersion: 'v1', kind: 'Node', metadata: { name, uid } });
  }

  /** One node of a zone at a time. */
  #eviction(object: Node, { cache, clock }: ReconcileContext): Eviction {
    if (executeTaint(object) === undefined) return 'held';
    const zone = zoneOf(object);
    const others = cache.list<Node>(node).filter(({ metadata }) => metadata.uid !== object.metadata.uid);
    const rate = evictionRate(zone, [object, ...others], this.#options.rates);
    if (rate === 'stop') return 'stopped';
    const sinceLastMs = clock.monotonicMs() - (this.#lastEvictionMs.get(zone) ?? Number.NEGATIVE_INFINITY);
    return rate > 0 && sinceLastMs >= 1_000 / rate ? 'allowed' : 'held';
  }
}

/** Writes that nothing is known of a node any more. Refused when the node says something in the same moment. */
async function declareSilent(object: Node, { key, client, clock, events, log, signal }: ReconcileContext): Promise<Node> {
  const conditions = silentConditions(object, clock.nowMs());
  if (deepEqual(conditions, object.status?.conditions ?? [])) return object;
  log.warn({ node: key.name }, 'a node has not been heard of for too long');
  const { uid, resourceVersion } = object.metadata;
  const body = { metadata: { uid, resourceVersion }, status: { conditions } };
  const next = await client.patch<Node>(node, key, body, { type: 'strategic', subresource: 'status' }, signal);
  if (isReady(object)) events.event(object, 'Normal', 'NodeNotReady', `Node ${key.name} status is now: NodeNotReady`);
  return next;
}

/** Pods of an unreachable node cannot serve: their Ready condition is set to False, and Services leave them out. */
async function markPods(nodeName: string, { cache, client, clock, events, signal }: ReconcileContext): Promise<void> {
  for (const one of cache.byIndex<Pod>(pod, byNode, nodeName).filter(isPodReady)) {
    const ready = findCondition(one.status?.conditions, 'Ready');
    const condition = { ...ready, type: 'Ready', status: 'False', lastTransitionTime: timeText(clock.nowMs()) };
    try {
      await setPodCondition(client, one, { condition }, signal);
      events.event(one, 'Warning', 'NodeNotReady', 'Node is not ready');
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    }
  }
}
