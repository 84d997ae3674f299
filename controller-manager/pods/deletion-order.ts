// Which of several interchangeable pods to give up first (upstream's pkg/controller/controller_utils.go, ActivePodsWithRanks): unassigned,
// pending, not ready, cheap, crowded on their node, ready for a shorter time, often restarted, young.
import type { Pod } from '#api/core/pod/pod.ts';
import { isActive, readySinceMs } from './pod-state.ts';

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const nsPerMs = 1_000_000;

/** What is compared of one pod: computed once, not in every comparison. */
interface Candidate {
  readonly pod: Pod;
  readonly uid: string;
  /** Assigned, phase, ready, cost, room on the node: the pod with the lower number at the first difference goes first. */
  readonly standing: readonly number[];
  readonly readySinceMs: number | undefined;
  readonly restarts: readonly number[];
  readonly createdMs: number;
}

/** Sorts pods so that the ones to delete first come first. `related` are the pods that count for crowding: of all sets of the same owner. */
export function deletionOrder(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const pod of related) {
    const { nodeName = '' } = pod.spec;
    if (nodeName !== '' && isActive(pod)) perNode.set(nodeName, (perNode.get(nodeName) ?? 0) + 1);
  }
  const candidates = pods.map((pod) => candidateOf(pod, perNode));
  return candidates.toSorted((a, b) => compare(a, b, nowMs)).map(({ pod }) => pod);
}

function candidateOf(pod: Pod, perNode: ReadonlyMap<string, number>): Candidate {
  const { nodeName = '' } = pod.spec;
  const since = readySinceMs(pod);
  return {
    pod,
    uid: pod.metadata.uid ?? '',
    standing: [
      nodeName === '' ? 0 : 1,
      phaseRank[pod.status?.phase ?? 'Pending'] ?? 0,
      since === undefined ? 0 : 1,
      deletionCost(pod),
      -(perNode.get(nodeName) ?? 0),
    ],
    readySinceMs: since,
    restarts: maxRestarts(pod),
    createdMs: Date.parse(pod.metadata.creationTimestamp ?? '') || 0,
  };
}

function compare(a: Candidate, b: Candidate, nowMs: number): number {
  return (
    firstDifference(a.standing, b.standing) ||
    compareTimes(a, b, [a.readySinceMs ?? 0, b.readySinceMs ?? 0], nowMs) ||
    firstDifference(b.restarts, a.restarts) ||
    compareTimes(a, b, [a.createdMs, b.createdMs], nowMs)
  );
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** The later goes first. Ages of one order of magnitude count as equal and the uid decides, so that not always the newest generation suffers. */
function compareTimes(a: Candidate, b: Candidate, [timeA, timeB]: readonly [number, number], nowMs: number): number {
  if (timeA === timeB) return 0;
  if (timeA === 0 || timeB === 0) return timeA === 0 ? -1 : 1;
  const difference = magnitude(nowMs - timeA) - magnitude(nowMs - timeB);
  if (difference !== 0) return difference;
  return a.uid < b.uid ? -1 : 1;
}

function magnitude(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * nsPerMs));
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[costAnnotation];
  return text !== undefined && /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

/** The most restarts of a container, then of a sidecar. */
function maxRestarts({ spec, status }: Pod): readonly number[] {
  const sidecars = new Set((spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name));
  const ofSidecars = (status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
  return [status?.containerStatuses ?? [], ofSidecars].map((list) => Math.max(0, ...list.map(({ restartCount }) => restartCount)));
}
