// Upstream's pod-garbage-collector-controller. How it works: a sweep every 20 s over the caches; a node must have been missing for two
// sweeps (40 s), and be unknown to the API server too, before its pods count as lost.
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { ClusterCache } from '#client/cluster-cache.ts';
import { timeText } from '#client/timestamps.ts';
import { setPodCondition } from '../pods/pod-condition.ts';
import { planPodCollection, type PodVerdict } from './plan.ts';

export interface PodCollectorOptions {
  /** Upstream's --terminated-pod-gc-threshold, 12500; 0 keeps all. */
  readonly maxFinished: number;
  /** Default 20 s. */
  readonly periodMs?: number;
  /** How long a node must be missing; default 40 s. */
  readonly quarantineMs?: number;
}

interface PodCollectorDeps {
  /** Must hold pods and nodes. */
  readonly cluster: ClusterCache;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

export class PodGarbageCollector implements Service {
  readonly name = 'pod-garbage-collector-controller';
  readonly #options: Required<PodCollectorOptions>;
  readonly #deps: PodCollectorDeps;
  readonly #missingSinceMs = new Map<string, number>();

  constructor(options: PodCollectorOptions, deps: PodCollectorDeps) {
    this.#options = { periodMs: 20_000, quarantineMs: 40_000, ...options };
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    ready();
    while (!signal.aborted) {
      try {
        await this.#sweep(signal);
        await clock.sleep(this.#options.periodMs, signal);
      } catch (err) {
        if (isAbort(err, signal)) return;
        log.warn({ err }, 'a sweep for forgotten pods failed');
        await clock.sleep(this.#options.periodMs, signal).catch(() => undefined);
      }
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#deps;
    const pods = cluster.list<Pod>(pod);
    const nodes = new Map(cluster.list<Node>(node).map((one) => [one.metadata.name ?? '', one]));
    const lostNodes = await this.#lostNodes(pods, nodes, signal);
    for (const verdict of planPodCollection({ pods, nodes, lostNodes, maxFinished: this.#options.maxFinished })) {
      await this.#carryOut(verdict, signal);
    }
  }

  async #lostNodes(pods: readonly Pod[], nodes: ReadonlyMap<string, Node>, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { client, clock } = this.#deps;
    const missing = new Set(pods.map(({ spec }) => spec.nodeName ?? '').filter((name) => name !== '' && !nodes.has(name)));
    for (const name of this.#missingSinceMs.keys()) if (!missing.has(name)) this.#missingSinceMs.delete(name);
    const lost = new Set<string>();
    for (const name of missing) {
      const sinceMs = this.#missingSinceMs.get(name) ?? clock.monotonicMs();
      this.#missingSinceMs.set(name, sinceMs);
      if (clock.monotonicMs() - sinceMs < this.#options.quarantineMs) continue;
      try {
        await client.get<Node>(node, { name }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
        lost.add(name);
      }
    }
    return lost;
  }

  async #carryOut(verdict: PodVerdict, signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#deps;
    const { uid } = verdict.pod.metadata;
    try {
      if (verdict.kind === 'fail and delete') {
        const { message } = verdict;
        const lastTransitionTime = timeText(clock.nowMs());
        const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message, lastTransitionTime };
        await setPodCondition(client, verdict.pod, { condition, phase: 'Failed' }, signal);
      }
      await client.delete(pod, keyOf(verdict.pod), { uid, gracePeriodSeconds: 0 }, signal);
      log.info({ pod: verdict.pod.metadata.name, namespace: verdict.pod.metadata.namespace }, 'deleted a forgotten pod');
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    }
  }
}
