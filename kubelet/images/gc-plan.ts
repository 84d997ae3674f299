// Which images go when the disk that holds them is full (pkg/kubelet/images/image_gc_manager.go). Pure.

export interface ImageGcPolicy {
  /** Used share of the disk from which on images go; 100: never. */
  readonly highPercent: number;
  /** Used share that it is then brought down to. */
  readonly lowPercent: number;
  /** Younger ones stay. */
  readonly minAgeMs: number;
  /** Those that nothing needed for longer go, however empty the disk is; 0: never. */
  readonly maxAgeMs: number;
}

/** An image that this kubelet has pulled and that is still there. */
export interface Candidate {
  /** What it was pulled as. */
  readonly reference: string;
  readonly sizeBytes: number;
  readonly pulledMs: number;
  /** When a container was last seen to need it; 0: never. */
  readonly lastUsedMs: number;
  readonly isUsed: boolean;
}

/** How many bytes must become free; 0: none, undefined: the disk has no size, so nobody can say. */
export function bytesToFree(policy: ImageGcPolicy, { totalBytes, availableBytes }: DiskSpace): number | undefined {
  if (totalBytes <= 0) return undefined;
  if (policy.highPercent >= 100) return 0;
  const available = Math.min(availableBytes, totalBytes);
  const usedPercent = 100 - Math.floor((available * 100) / totalBytes);
  if (usedPercent < policy.highPercent) return 0;
  return Math.max(0, Math.floor((totalBytes * (100 - policy.lowPercent)) / 100) - available);
}

export interface DiskSpace {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** What may go, the one that was not needed for the longest time first. */
export function removable(candidates: readonly Candidate[], policy: ImageGcPolicy, nowMs: number): Candidate[] {
  return candidates
    .filter(({ isUsed, pulledMs }) => !isUsed && nowMs - pulledMs >= policy.minAgeMs)
    .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || a.pulledMs - b.pulledMs);
}

/**
 * What nothing has needed for too long. A kubelet that has not run that long itself cannot know.
 * @param beganMs when it began to look.
 */
export function outdated(candidates: readonly Candidate[], policy: ImageGcPolicy, nowMs: number, beganMs: number): Candidate[] {
  if (policy.maxAgeMs === 0 || nowMs - beganMs <= policy.maxAgeMs) return [];
  return removable(candidates, policy, nowMs).filter(({ lastUsedMs }) => nowMs - lastUsedMs > policy.maxAgeMs);
}
