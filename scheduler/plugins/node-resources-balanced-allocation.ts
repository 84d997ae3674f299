import { definePlugin, maxScore } from '../framework/plugin.ts';
import type { Resources } from '../framework/requests.ts';

/** Prefers nodes whose CPU and memory would be used to a similar share. */
export const nodeResourcesBalancedAllocation = definePlugin<Resources>({
  name: 'NodeResourcesBalancedAllocation',
  retryOn: [],
  prepare: (pod) => pod.requests,
  // Pods that request nothing would all go to the most balanced node (kubernetes/kubernetes#129138).
  scores: ({ cpuMillis, memoryBytes }) => cpuMillis > 0 || memoryBytes > 0,
  score: ({ allocatable, requested }, wanted) => {
    if (allocatable.cpuMillis === 0 || allocatable.memoryBytes === 0) return maxScore;
    const cpu = Math.min(1, (requested.cpuMillis + wanted.cpuMillis) / allocatable.cpuMillis);
    const memory = Math.min(1, (requested.memoryBytes + wanted.memoryBytes) / allocatable.memoryBytes);
    return Math.trunc((1 - Math.abs((cpu - memory) / 2)) * maxScore);
  },
});
