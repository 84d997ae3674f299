// How long pods of which priority get when the machine shuts down (pkg/kubelet/nodeshutdown/nodeshutdown_manager.go). Pure.
import { systemCriticalPriority } from '#api/core/pod/critical.ts';

/** Pods of this priority and above, up to the next one, get that long. */
export interface ShutdownPeriod {
  readonly priority: number;
  readonly seconds: number;
}

/** The two periods of shutdownGracePeriod and shutdownGracePeriodCriticalPods, which is part of it; none where there is nothing to wait for. */
export function periodsOf(wholeMs: number, criticalMs: number): ShutdownPeriod[] {
  if (wholeMs === 0 || criticalMs > wholeMs) return [];
  return [
    { priority: 0, seconds: Math.trunc((wholeMs - criticalMs) / 1_000) },
    { priority: systemCriticalPriority, seconds: Math.trunc(criticalMs / 1_000) },
  ];
}

/** How long the machine must wait for us. */
export function neededSeconds(periods: readonly ShutdownPeriod[]): number {
  return periods.reduce((sum, { seconds }) => sum + seconds, 0);
}

interface ShutdownGroup<P> {
  readonly seconds: number;
  readonly pods: readonly P[];
}

/** The pods in the order in which they end: the least important first. Groups without pods are left out. */
export function groupsOf<P>(periods: readonly ShutdownPeriod[], pods: readonly P[], priorityOf: (pod: P) => number): ShutdownGroup<P>[] {
  const sorted = periods.toSorted((a, b) => a.priority - b.priority);
  const members = sorted.map(({ seconds }): { seconds: number; pods: P[] } => ({ seconds, pods: [] }));
  for (const pod of pods) {
    const above = sorted.findLastIndex(({ priority }) => priority <= priorityOf(pod));
    // Those below the lowest get what the lowest get.
    members[Math.max(0, above)]?.pods.push(pod);
  }
  return members.filter((group) => group.pods.length > 0);
}
