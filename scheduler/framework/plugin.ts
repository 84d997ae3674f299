// The plugin interface of the scheduling framework. All extension points are optional; absent ones cost nothing. Up to `normalize` plugins
// are synchronous and pure functions of the pod and the nodes. A scheduling cycle is synchronous, so its snapshot cannot change between
// extension points. The binding cycle (`permit`, `bind`) runs concurrently for many pods.
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { Verdict } from './verdict.ts';

/** A cluster event that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | 'node-added'
  | 'node-allocatable-changed'
  | 'node-labels-changed'
  | 'node-taints-changed'
  /** A bound pod was deleted or has terminated. */
  | 'pod-removed'
  /** A bound pod requests less than before. */
  | 'pod-shrunk'
  /** A pod was bound, or a bound pod changed. */
  | 'pod-assigned'
  /** The pending pod itself was changed. */
  | 'pod-changed';

/** A cluster event with its object. */
export interface Happening {
  readonly event: ClusterEvent;
  /** The node that was added or changed. */
  readonly node?: NodeInfo;
  /** The pod that was added, removed or changed. */
  readonly pod?: PodInfo;
}

/** The part of the cluster's snapshot that plugins may read besides the node. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** The bound pods with inter-pod affinity, with their nodes: few in most clusters. */
  podsWithAffinity(): Iterable<{ readonly pod: PodInfo; readonly node: NodeInfo }>;
  /** Undefined for a namespace that does not exist. */
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
}

interface PluginDefinition<P> {
  /** Upstream's name. */
  readonly name: string;
  /** Events after which a pod that this plugin rejected is requeued. */
  readonly retryOn: readonly ClusterEvent[];
  /** Queueing hint: true if such an event may make this pod schedulable; default true. Must not be false where it could. */
  readonly worthRetrying?: (pod: PodInfo, happening: Happening) => boolean;
  /** PreEnqueue: why the pod must not be queued yet; undefined admits it. Called again when the pod changes. */
  readonly gate?: (pod: PodInfo) => string | undefined;
  /** PreFilter: computes the state for the other extension points, once per cycle. */
  readonly prepare?: (pod: PodInfo, cluster: ClusterView) => P;
  /** After `prepare`: rejects the pod for all nodes; undefined continues. */
  readonly reject?: (prepared: P, pod: PodInfo) => Verdict | undefined;
  /** Narrows the nodes to filter; undefined: all. */
  readonly onlyNodes?: (prepared: P) => ReadonlySet<string> | undefined;
  /** False skips `filter` for this pod. */
  readonly filters?: (prepared: P) => boolean;
  /** Filter: whether the pod fits the node. */
  readonly filter?: (node: NodeInfo, prepared: P, pod: PodInfo) => Verdict;
  /** False skips `score` for this pod. */
  readonly scores?: (prepared: P) => boolean;
  /** Score of a feasible node; 0 to 100 unless `normalize` is present. */
  readonly score?: (node: NodeInfo, prepared: P, pod: PodInfo) => number;
  /** NormalizeScore: maps the scores of all nodes to 0 to 100, in place. */
  readonly normalize?: (scores: Float64Array, prepared: P) => void;
  /** Reserve: records the assumed pod before the next cycle; the returned function is Unreserve, for a failed binding. */
  readonly reserve?: (pod: PodInfo, nodeName: string, prepared: P) => () => void;
  /** Permit: delays the binding until the promise resolves, without blocking other pods. A rejection fails this attempt. */
  readonly permit?: (pod: PodInfo, nodeName: string, signal: AbortSignal) => Promise<void>;
  /** Bind: binds the pod to the node. Only the first plugin with this point is called. */
  readonly bind?: (pod: PodInfo, nodeName: string, signal: AbortSignal) => Promise<void>;
}

/** A plugin with its state type erased. */
export type Plugin = PluginDefinition<unknown>;

/** Declares a plugin; `P`, the result of `prepare`, types the state of the other extension points. */
export function definePlugin<P>(definition: PluginDefinition<P>): Plugin {
  return definition as unknown as Plugin;
}

export const maxScore = 100;

/** Scales scores so that the highest becomes 100, rounding down as upstream does. In place. */
export function normalizeHighest(scores: Float64Array): void {
  const highest = scores.reduce((most, score) => Math.max(most, score), 0);
  if (highest === 0) return;
  for (let at = 0; at < scores.length; at++) scores[at] = Math.floor((maxScore * (scores[at] ?? 0)) / highest);
}

/** As `normalizeHighest`, turned round: what had the highest gets 0, and all get 100 where nothing was counted. */
export function normalizeLowest(scores: Float64Array): void {
  normalizeHighest(scores);
  for (let at = 0; at < scores.length; at++) scores[at] = maxScore - (scores[at] ?? 0);
}
