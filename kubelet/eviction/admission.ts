// Which pods a node under pressure still takes (pkg/kubelet/eviction: Admit). Pure.
import { isCriticalPod } from '#api/core/pod/critical.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { tolerates } from '#api/core/pod/tolerates.ts';
import { qosClass } from '../pods/resources/qos.ts';
import type { PressureCondition } from './signals.ts';

const memoryTaint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };

/** Why the node does not take the pod now; undefined where it does. */
export function judgePressureAdmission(
  pod: Pod,
  conditions: readonly PressureCondition[],
): { readonly reason: string; readonly message: string } | undefined {
  if (conditions.length === 0 || isCriticalPod(pod)) return undefined;
  const isMemoryAlone = conditions.length === 1 && conditions[0] === 'MemoryPressure';
  if (isMemoryAlone && (qosClass(pod) !== 'BestEffort' || tolerates(pod.spec.tolerations ?? [], memoryTaint))) return undefined;
  return { reason: 'Evicted', message: `The node had condition: [${conditions.join(' ')}]. ` };
}
