import type { NodeInfo } from '../framework/node-info.ts';
import { definePlugin, maxScore } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Resources } from '../framework/requests.ts';
import { fits, neverHere, notNow, type Verdict } from '../framework/verdict.ts';

/** Lets a pod onto nodes that have left what it requests, and prefers those with the most left (LeastAllocated). */
export const nodeResourcesFit = definePlugin<Resources>({
  name: 'NodeResourcesFit',
  retryOn: ['node-added', 'node-allocatable-changed', 'pod-removed', 'pod-shrunk', 'pod-changed'],
  // A node that is too small even when empty never fits.
  worthRetrying: (pod, { node }) => node === undefined || missing(node.allocatable, undefined, pod.requests).length === 0,
  prepare: (pod) => pod.requests,
  filter: (node, requests) => check(node, requests),
  score: (node, _requests, pod) => leastAllocated(node, pod),
});

function check(node: NodeInfo, requests: Resources): Verdict {
  const full = node.pods.size + 1 > node.allowedPods;
  const { requested, allocatable } = node;
  const roomy =
    requests.cpuMillis <= allocatable.cpuMillis - requested.cpuMillis &&
    requests.memoryBytes <= allocatable.memoryBytes - requested.memoryBytes &&
    requests.ephemeralBytes <= allocatable.ephemeralBytes - requested.ephemeralBytes &&
    requests.scalars === undefined;
  if (roomy && !full) return fits;
  const short = missing(allocatable, requested, requests);
  if (full) short.unshift('Too many pods');
  if (short.length === 0) return fits;
  return missing(allocatable, undefined, requests).length > 0 ? neverHere(...short) : notNow(...short);
}

/** What is short, in upstream's words; with `requested` undefined, what would be short on an empty node. */
function missing(allocatable: Resources, requested: Resources | undefined, wanted: Resources): string[] {
  const short: string[] = [];
  const lacks = (want: number, all: number, used: number): boolean => want > 0 && want > all - used;
  if (lacks(wanted.cpuMillis, allocatable.cpuMillis, requested?.cpuMillis ?? 0)) short.push('Insufficient cpu');
  if (lacks(wanted.memoryBytes, allocatable.memoryBytes, requested?.memoryBytes ?? 0)) short.push('Insufficient memory');
  if (lacks(wanted.ephemeralBytes, allocatable.ephemeralBytes, requested?.ephemeralBytes ?? 0)) {
    short.push('Insufficient ephemeral-storage');
  }
  for (const [name, want] of wanted.scalars ?? []) {
    if (lacks(want, allocatable.scalars?.get(name) ?? 0, requested?.scalars?.get(name) ?? 0)) short.push(`Insufficient ${name}`);
  }
  return short;
}

/** The mean share of CPU and memory that stays free with this pod; upstream's integers. */
function leastAllocated(node: NodeInfo, pod: PodInfo): number {
  const { allocatable, typicalRequested } = node;
  const cpu = freeShare(allocatable.cpuMillis, typicalRequested.cpuMillis + pod.typicalRequests.cpuMillis);
  const memory = freeShare(allocatable.memoryBytes, typicalRequested.memoryBytes + pod.typicalRequests.memoryBytes);
  const weights = (allocatable.cpuMillis > 0 ? 1 : 0) + (allocatable.memoryBytes > 0 ? 1 : 0);
  return weights === 0 ? 0 : Math.floor((cpu + memory) / weights);
}

function freeShare(capacity: number, used: number): number {
  if (capacity === 0 || used > capacity) return 0;
  return Math.floor(((capacity - used) * maxScore) / capacity);
}
