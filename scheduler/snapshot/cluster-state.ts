// The scheduler's picture of the cluster, kept by increments: nodes with the sums of their pods. It runs ahead of the API server by
// the pods that were decided but are not seen bound yet ("assumed"). All changes happen between cycles and a cycle never waits, so
// within one the picture stands still: it needs no copy, and a cycle's cost does not grow with the number of pods.
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import { NodeInfo } from '../framework/node-info.ts';
import type { ClusterView, Happening } from '../framework/plugin.ts';
import { type PodInfo, podInfoOf } from '../framework/pod-info.ts';
import { nodeChanges } from './node-changes.ts';

interface Assumed {
  readonly pod: PodInfo;
  readonly nodeName: string;
  /** When (monotonic) to give up waiting to see it bound; undefined while binding is under way. */
  expiresAtMs: number | undefined;
}

const assumedLimitMs = 30_000;
const zoneLabel = 'topology.kubernetes.io/zone';
const regionLabel = 'topology.kubernetes.io/region';

export class ClusterState implements ClusterView {
  readonly #clock: Clock;
  readonly #byName = new Map<string, NodeInfo>();
  /** Which node each counted pod is on, by uid. */
  readonly #placeOf = new Map<string, string>();
  readonly #assumed = new Map<string, Assumed>();
  readonly #withAffinity = new Map<string, PodInfo>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  #ordered: readonly NodeInfo[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nodes in an order that takes turns between zones, so that a sample of neighbours spans them. */
  get nodes(): readonly NodeInfo[] {
    this.#ordered ??= interleaveZones([...this.#byName.values()].filter(({ node }) => node !== undefined));
    return this.#ordered;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#byName.get(name);
    return info?.node === undefined ? undefined : info;
  }

  *podsWithAffinity(): Generator<{ readonly pod: PodInfo; readonly node: NodeInfo }> {
    for (const pod of this.#withAffinity.values()) {
      const node = this.node(this.#placeOf.get(pod.uid) ?? '');
      if (node !== undefined) yield { pod, node };
    }
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined {
    return this.#namespaces.get(name);
  }

  /** A namespace came, changed or (undefined labels) went. */
  setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
  }

  /** How many pods are assumed and not yet seen bound. */
  get assumedCount(): number {
    return this.#assumed.size;
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  /** A node came or changed. Answers what that may mean for waiting pods. */
  setNode(node: Node): readonly Happening[] {
    const info = this.#info(node.metadata.name ?? '');
    const previous = info.node;
    info.setNode(node);
    if (previous === undefined || zoneOf(previous) !== zoneOf(node)) this.#ordered = undefined;
    const events = previous === undefined ? (['node-added'] as const) : nodeChanges(previous, node);
    return events.map((event) => ({ event, node: info }));
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name);
    if (info === undefined) return;
    this.#ordered = undefined;
    info.setNode(undefined);
    if (info.pods.size === 0) this.#byName.delete(name);
  }

  /** A pod is seen on a node: new there, changed, or the one that was assumed. */
  setPod(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#assumed.delete(uid);
    this.#place(podInfoOf(pod), pod.spec.nodeName ?? '');
  }

  /** A pod that had a node is gone. */
  removePod(uid: string): void {
    this.#assumed.delete(uid);
    this.#displace(uid);
  }

  /** Counts a pod on a node before that is so. */
  assume(pod: PodInfo, nodeName: string): void {
    this.#assumed.set(pod.uid, { pod, nodeName, expiresAtMs: undefined });
    this.#place(pod, nodeName);
  }

  /** The server has taken the binding: it must be seen soon. */
  bound(uid: string): void {
    const assumed = this.#assumed.get(uid);
    if (assumed !== undefined) assumed.expiresAtMs = this.#clock.monotonicMs() + assumedLimitMs;
  }

  /** The binding failed. Does nothing if the pod was seen bound after all. */
  forget(uid: string): void {
    if (this.#assumed.delete(uid)) this.#displace(uid);
  }

  /** Gives up on pods that were bound but never seen so; answers them. */
  expireAssumed(): readonly PodInfo[] {
    const nowMs = this.#clock.monotonicMs();
    const expired = [...this.#assumed.values()].filter(({ expiresAtMs }) => expiresAtMs !== undefined && expiresAtMs <= nowMs);
    for (const { pod } of expired) this.forget(pod.uid);
    return expired.map(({ pod }) => pod);
  }

  #place(pod: PodInfo, nodeName: string): void {
    this.#displace(pod.uid);
    this.#placeOf.set(pod.uid, nodeName);
    if (pod.affinity !== undefined) this.#withAffinity.set(pod.uid, pod);
    this.#info(nodeName).addPod(pod);
  }

  #displace(uid: string): void {
    const name = this.#placeOf.get(uid);
    if (name === undefined) return;
    this.#placeOf.delete(uid);
    this.#withAffinity.delete(uid);
    const info = this.#byName.get(name);
    info?.removePod(uid);
    if (info?.node === undefined && info?.pods.size === 0) this.#byName.delete(name);
  }

  #info(name: string): NodeInfo {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const info = new NodeInfo(name);
    this.#byName.set(name, info);
    return info;
  }
}

function zoneOf(node: Node | undefined): string {
  const labels = node?.metadata.labels;
  return `${labels?.[regionLabel] ?? ''}/${labels?.[zoneLabel] ?? ''}`;
}

function interleaveZones(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = [...Map.groupBy(nodes, (info) => zoneOf(info.node)).values()];
  const longest = Math.max(0, ...zones.map((zone) => zone.length));
  const ordered: NodeInfo[] = [];
  for (let turn = 0; turn < longest; turn++) {
    for (const zone of zones) {
      const info = zone[turn];
      if (info !== undefined) ordered.push(info);
    }
  }
  return ordered;
}
