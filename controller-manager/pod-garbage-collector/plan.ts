import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { isFinished } from '../pods/pod-state.ts';

export type PodVerdict =
  /** Its status is final. */
  | { readonly kind: 'delete'; readonly pod: Pod }
  /** The same, but it may have been running: its status has to say that it failed, and why. */
  | { readonly kind: 'fail and delete'; readonly pod: Pod; readonly message: string };

interface PodCollection {
  readonly pods: readonly Pod[];
  readonly nodes: ReadonlyMap<string, Node>;
  /** Nodes that have been gone for so long that they do not come back in a moment. */
  readonly lostNodes: ReadonlySet<string>;
  /** Finished pods above this number go, the oldest first; 0 keeps all. */
  readonly maxFinished: number;
}

const outOfService = 'node.kubernetes.io/out-of-service';

/** Which pods are left to clean up (upstream's pkg/controller/podgc). */
export function planPodCollection({ pods, nodes, lostNodes, maxFinished }: PodCollection): readonly PodVerdict[] {
  const finished = pods.filter(isFinished).toSorted(olderFirst);
  const surplus = maxFinished > 0 ? finished.slice(0, Math.max(0, finished.length - maxFinished)) : [];
  const chosen = new Set(surplus);
  const verdicts: PodVerdict[] = surplus.map((pod) => ({ kind: 'delete', pod }));
  for (const pod of pods) {
    const verdict = chosen.has(pod) ? undefined : verdictOn(pod, nodes, lostNodes);
    if (verdict !== undefined) verdicts.push(verdict);
  }
  return verdicts;
}

function verdictOn(pod: Pod, nodes: ReadonlyMap<string, Node>, lostNodes: ReadonlySet<string>): PodVerdict | undefined {
  const { nodeName = '' } = pod.spec;
  const isGoing = pod.metadata.deletionTimestamp !== undefined;
  if (nodeName === '') return isGoing ? { kind: 'delete', pod } : undefined;
  if (lostNodes.has(nodeName)) return gone(pod, 'PodGC: node no longer exists');
  return isGoing && isOutOfService(nodes.get(nodeName)) ? gone(pod, 'PodGC: node is out of service') : undefined;
}

function gone(pod: Pod, message: string): PodVerdict {
  return isFinished(pod) ? { kind: 'delete', pod } : { kind: 'fail and delete', pod, message };
}

/** The node is tainted out-of-service and not ready. */
function isOutOfService(node: Node | undefined): boolean {
  const isReady = findCondition(node?.status?.conditions, 'Ready')?.status === 'True';
  return !isReady && node?.spec?.taints?.some(({ key }) => key === outOfService) === true;
}

function olderFirst({ metadata: a }: Pod, { metadata: b }: Pod): number {
  const difference = (Date.parse(a.creationTimestamp ?? '') || 0) - (Date.parse(b.creationTimestamp ?? '') || 0);
  return difference || ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
}
