// What the kubelet wants of a pod now, out of what the API says, whether its object is still there, and the kubelet's own verdict. Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { Wish } from './advance.ts';
import { kubeletConditions } from './status/conditions.ts';

/** Why the kubelet itself ends a pod. */
export interface PodVerdict {
  readonly reason: string;
  readonly message: string;
  /** How long it may take at most; undefined: as long as the pod says. */
  readonly graceMs?: number;
  /** It fails for the sake of others: what its DisruptionTarget condition says. */
  readonly disruption?: string;
}

/** `orphan`: only the runtime knows it. */
export type PodLife = 'wanted' | 'removed' | 'orphan';

const minGraceMs = 1_000;
/** Orphans are not waited for. */
const orphanGraceMs = 1_000;

export function wishOf({ metadata, spec }: Pod, life: PodLife, verdict: PodVerdict | undefined): Wish {
  if (life === 'orphan') return { want: 'end', graceMs: orphanGraceMs, forget: true };
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const verdictMs = verdict?.graceMs ?? Number.POSITIVE_INFINITY;
  if (!isDeleted && life === 'wanted') {
    return Number.isFinite(verdictMs) ? { want: 'end', graceMs: verdictMs, forget: false } : { want: 'run' };
  }
  const seconds = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  return { want: 'end', graceMs: Math.min(verdictMs, Math.max(minGraceMs, seconds * 1_000)), forget: true };
}

/** True when something of a pod changed that is not our own to say. */
export function asksForMore(previous: Pod, next: Pod): boolean {
  const asked = ({ metadata, spec, status }: Pod): unknown => [
    metadata.generation,
    metadata.deletionTimestamp,
    metadata.deletionGracePeriodSeconds,
    metadata.labels,
    metadata.annotations,
    spec,
    (status?.conditions ?? []).filter(({ type }) => !kubeletConditions.includes(type)),
  ];
  return !equalValues(asked(previous), asked(next));
}
