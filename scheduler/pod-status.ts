import type { Pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';

/** Why a pod has no node yet. */
export interface NotScheduled {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** The node where room is made for it; '' takes such a promise back, undefined leaves it. */
  readonly nominatedNodeName?: string | undefined;
}

/** The patch (strategic) that makes a pod's PodScheduled condition say why; undefined when it says so already. */
export function notScheduledPatch({ metadata, status }: Pod, why: NotScheduled, nowMs: number): object | undefined {
  const known = findCondition(status?.conditions, 'PodScheduled');
  const isSame = known?.status === 'False' && known.reason === why.reason && known.message === why.message;
  const { nominatedNodeName: node } = why;
  const isPromised = node === undefined || node === (status?.nominatedNodeName ?? '');
  if (isSame && isPromised) return undefined;
  const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : undefined;
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: why.reason,
    message: why.message,
    lastProbeTime: null,
    lastTransitionTime: lastTransitionTime ?? timeText(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
  const promise = isPromised ? {} : { nominatedNodeName: node === '' ? null : node };
  return { metadata: { uid: metadata.uid }, status: { conditions: [condition], ...promise } };
}
