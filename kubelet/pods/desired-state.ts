// The desired state of a pod on this node: from its object, whether that still exists, and the kubelet's own verdict. Pure.
import type { Pod } from '#api/core/pod/pod.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { DesiredState } from './advance.ts';
import { kubeletConditions } from './status/conditions.ts';

/** Why the kubelet terminates a pod on its own account. */
export interface PodVerdict {
  readonly reason: string;
  readonly message: string;
  /** Upper bound of the grace period; undefined: the pod's own. */
  readonly graceMs?: number;
  /** Message of the DisruptionTarget condition, where the pod is terminated in favour of others. */
  readonly disruption?: string;
}

/** `orphan`: known to the runtime alone. */
export type PodLife = 'wanted' | 'removed' | 'orphan';

const minGraceMs = 1_000;
const orphanGraceMs = 1_000;

export function desiredStateOf({ metadata, spec }: Pod, life: PodLife, verdict: PodVerdict | undefined): DesiredState {
  if (life === 'orphan') return { want: 'end', graceMs: orphanGraceMs, forget: true };
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const verdictMs = verdict?.graceMs ?? Number.POSITIVE_INFINITY;
  if (!isDeleted && life === 'wanted') {
    return Number.isFinite(verdictMs) ? { want: 'end', graceMs: verdictMs, forget: false } : { want: 'run' };
  }
  const seconds = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  return { want: 'end', graceMs: Math.min(verdictMs, Math.max(minGraceMs, seconds * 1_000)), forget: true };
}

/** True when an update changes more than what this kubelet itself writes to the status. */
export function needsSync(previous: Pod, next: Pod): boolean {
  const inputs = ({ metadata, spec, status }: Pod): unknown => [
    metadata.generation,
    metadata.deletionTimestamp,
    metadata.deletionGracePeriodSeconds,
    metadata.labels,
    metadata.annotations,
    spec,
    (status?.conditions ?? []).filter(({ type }) => !kubeletConditions.includes(type)),
  ];
  return !equalValues(inputs(previous), inputs(next));
}
