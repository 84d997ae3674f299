// The conditions that a kubelet keeps on its node, and the events that go with their changes (pkg/kubelet/nodestatus). Pure.
import type { V1NodeCondition } from '#api/generated/types.ts';
import type { PressureCondition } from '../eviction/signals.ts';

interface NodeEvent {
  readonly reason: string;
}

/** The conditions as of now, and the events for what changed. `problems` keep the node from being ready. */
export function nodeConditions(
  previous: readonly V1NodeCondition[],
  pressure: readonly PressureCondition[],
  { problems, hasAppArmor = false }: { readonly problems: readonly string[]; readonly hasAppArmor?: boolean },
  now: string,
): { readonly conditions: V1NodeCondition[]; readonly events: NodeEvent[] } {
  const wanted: Pick<V1NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    pressure.includes('MemoryPressure')
      ? state('MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : state('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    pressure.includes('DiskPressure')
      ? state('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : state('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    pressure.includes('PIDPressure')
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
