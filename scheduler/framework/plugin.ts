// What a scheduling plugin is. All points are optional; absent ones cost nothing. Up to `normalize` plugins are synchronous and
// pure: they look at the pod and at nodes and answer. A cycle runs without a pause, so what a plugin sees cannot change between
// its points. What follows a decision (`permit`, `bind`) runs for many pods at the same time.
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { Verdict } from './verdict.ts';

/** What happened in the cluster that may make a pod fit that did not fit before. */
export type ClusterEvent =
  | 'node-added'
  | 'node-allocatable-changed'
  | 'node-labels-changed'
  | 'node-taints-changed'
  /** A pod that had a node is gone or has ended. */
  | 'pod-removed'
  /** A pod that has a node asks for less than before. */
  | 'pod-shrunk'
  /** A pod got a node, or one that has a node changed. */
  | 'pod-assigned'
  /** The waiting pod itself was changed. */
  | 'pod-changed';

/** An event with what it is about. */
export interface Happening {
  readonly event: ClusterEvent;
  /** The node that was added or changed. */
  readonly node?: NodeInfo;
  /** The pod that came, went or changed. */
  readonly pod?: PodInfo;
}

/** All that plugins may know of the cluster beside one node. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** The bound pods with inter-pod affinity, with their nodes: few in most clusters. */
  podsWithAffinity(): Iterable<{ readonly pod: PodInfo; readonly node: NodeInfo }>;
  /** Undefined for a namespace that is not there. */
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
}

interface PluginDefinition<P> {
  /** Upstream's name. */
  readonly name: string;
  /** Events after which a pod that this plugin rejected is worth another try. */
  readonly retryOn: readonly ClusterEvent[];
  /** Says whether such an event can help this very pod; default yes. Must not say no where it could. */
  readonly worthRetrying?: (pod: PodInfo, happening: Happening) => boolean;
  /** Before the queue: a reason why this pod may not be tried at all yet. Asked again when the pod changes. */
  readonly gate?: (pod: PodInfo) => string | undefined;
  /** Once a cycle: what the other points need to know about the pod. */
  readonly prepare?: (pod: PodInfo, cluster: ClusterView) => P;
  /** After prepare: a verdict on all nodes at once; undefined goes on. */
  readonly reject?: (prepared: P, pod: PodInfo) => Verdict | undefined;
  /** The only nodes worth looking at; undefined is all. */
  readonly onlyNodes?: (prepared: P) => ReadonlySet<string> | undefined;
  /** False skips `filter` for this pod. */
  readonly filters?: (prepared: P) => boolean;
  /** May this pod run on this node? */
  readonly filter?: (node: NodeInfo, prepared: P, pod: PodInfo) => Verdict;
  /** False skips `score` for this pod. */
  readonly scores?: (prepared: P) => boolean;
  /** How good is this node, of those that passed? Without `normalize` from 0 to 100. */
  readonly score?: (node: NodeInfo, prepared: P, pod: PodInfo) => number;
  /** Brings the scores of all nodes into 0 to 100, in place. */
  readonly normalize?: (scores: Float64Array, prepared: P) => void;
  /** Notes that the pod will have the node, before others are decided; the answer takes the note back if binding fails. */
  readonly reserve?: (pod: PodInfo, nodeName: string, prepared: P) => () => void;
  /** Holds the pod back until it may be bound, without holding up others. A throw gives it up for now. */
  readonly permit?: (pod: PodInfo, nodeName: string, signal: AbortSignal) => Promise<void>;
  /** Ties the pod to the node. The first plugin that has this point binds. */
  readonly bind?: (pod: PodInfo, nodeName: string, signal: AbortSignal) => Promise<void>;
}

/** A plugin whose prepared type is known only to itself. */
export type Plugin = PluginDefinition<unknown>;

/** Declares a plugin: what `prepare` returns reaches the other points with its type. */
export function definePlugin<P>(definition: PluginDefinition<P>): Plugin {
  return definition as unknown as Plugin;
}

export const maxScore = 100;

/** Stretches scores so that the highest becomes 100, rounding down as upstream does. */
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
