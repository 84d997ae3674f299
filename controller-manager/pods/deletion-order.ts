import type { Pod } from '#api/core/pod/pod.ts';
import { isReady, readySinceMs } from './pod-state.ts';

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/**
 * Sorts pods so that the ones to delete first come first, as upstream does (pkg/controller/controller_utils.go, ActivePodsWithRanks): unassigned,
 * pending, not ready, cheap, crowded on their node, ready for a shorter time, often restarted, young. `related` are the pods that count for
 * crowding: of all sets of the same owner.
 */
export function deletionOrder(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec, metadata, status } of related) {
    const counts = metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded';
    if (counts && spec.nodeName !== undefined) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const keys = new Map(pods.map((pod) => [pod, sortKey(pod, perNode, nowMs)]));
  return pods.toSorted((a, b) => compareKeys(keys.get(a) ?? [], keys.get(b) ?? []));
}

function sortKey(pod: Pod, perNode: ReadonlyMap<string, number>, nowMs: number): readonly number[] {
  const { nodeName } = pod.spec;
  const createdMs = Date.parse(pod.metadata.creationTimestamp ?? '') || 0;
  const sinceMs = readySinceMs(pod);
  return [
    nodeName === undefined || nodeName === '' ? 0 : 1,
    phaseRank[pod.status?.phase ?? 'Pending'] ?? 0,
    isReady(pod) ? 1 : 0,
    deletionCost(pod),
    -(perNode.get(nodeName ?? '') ?? 0),
    sinceMs === undefined ? 0 : ageBucket(nowMs - sinceMs),
    -maxRestarts(pod),
    ageBucket(nowMs - createdMs),
  ];
}

/** Ages count by order of magnitude, so that pods made close together are told apart by nothing but chance. */
function ageBucket(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[costAnnotation];
  return text !== undefined && /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function maxRestarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
