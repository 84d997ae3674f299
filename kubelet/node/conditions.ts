// The conditions that a kubelet keeps on its node, and the events that go with their changes (pkg/kubelet/nodestatus). Pure.
import type { V1NodeCondition } from '#api/generated/types.ts';
import type { DiskUse, Measurements } from './facts.ts';

export interface Thresholds {
  readonly memoryBytes: number;
  /** Shares of the disk that must stay available, 0 to 1. */
  readonly disk: number;
  readonly inodes: number;
  readonly imageDisk: number;
}

/** Upstream's --eviction-hard: memory 100Mi, node disk 10 % and 5 % of inodes, image disk 15 %. */
export const defaultThresholds: Thresholds = { memoryBytes: 100 * 2 ** 20, disk: 0.1, inodes: 0.05, imageDisk: 0.15 };

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}

/** Which of the node's means run out. */
export function pressureOf({ memoryAvailableBytes, disk, imageDisk }: Measurements, thresholds: Thresholds): Pressure {
  const isFull = (use: DiskUse, share: number): boolean =>
    use.availableBytes < use.totalBytes * share || (use.totalInodes > 0 && use.freeInodes < use.totalInodes * thresholds.inodes);
  return {
    memory: memoryAvailableBytes < thresholds.memoryBytes,
    disk: isFull(disk, thresholds.disk) || isFull(imageDisk, thresholds.imageDisk),
    pid: false,
  };
}

export interface NodeEvent {
  readonly reason: string;
}

/** The conditions as of now, and the events for what changed. `problems` keep the node from being ready. */
export function nodeConditions(
  previous: readonly V1NodeCondition[],
  pressure: Pressure,
  { problems, hasAppArmor = false }: { readonly problems: readonly string[]; readonly hasAppArmor?: boolean },
  now: string,
): { readonly conditions: V1NodeCondition[]; readonly events: NodeEvent[] } {
  const wanted: Pick<V1NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    pressure.memory
      ? state('MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : state('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    pressure.disk
      ? state('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : state('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    pressure.pid
      ? state('PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
      : state('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    problems.length === 0
      ? state('Ready', 'True', 'KubeletReady', `kubelet is posting ready status${hasAppArmor ? '. AppArmor enabled' : ''}`)
      : state('Ready', 'False', 'KubeletNotReady', problems.join(', ')),
  ];
  const events: NodeEvent[] = [];
  const conditions = wanted.map((one): V1NodeCondition => {
    const known = previous.find(({ type }) => type === one.type);
    const isSame = known?.status === one.status;
    if (!isSame) events.push({ reason: eventReason(one) });
    return { ...one, lastHeartbeatTime: now, lastTransitionTime: isSame ? (known.lastTransitionTime ?? now) : now };
  });
  return { conditions, events };
}

function state(
  type: string,
  status: string,
  reason: string,
  message: string,
): Pick<V1NodeCondition, 'type' | 'status' | 'reason' | 'message'> {
  return { type, status, reason, message };
}

/** NodeReady, NodeNotReady, NodeHasSufficientMemory, … */
function eventReason({ type, status, reason = '' }: Pick<V1NodeCondition, 'type' | 'status' | 'reason'>): string {
  if (type === 'Ready') return status === 'True' ? 'NodeReady' : 'NodeNotReady';
  return `Node${reason.replace(/^Kubelet/, '')}`;
}
