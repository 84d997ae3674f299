// Which pods a node under pressure still takes, and which it never evicts (pkg/kubelet/eviction: Admit; pkg/kubelet/types: IsCriticalPod). Pure.
import { isMirrorPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { tolerates } from '#api/core/pod/tolerates.ts';
import { qosClass } from '../pods/resources/qos.ts';
import type { PressureCondition } from './signals.ts';

const systemCriticalPriority = 2_000_000_000;
const sourceAnnotation = 'kubernetes.io/config.source';
const memoryTaint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };

/** Pods that the node runs by itself, and those of the highest priorities. */
export function isCritical(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[sourceAnnotation] ?? 'api';
  return source !== 'api' || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority;
}

/** Why the node does not take the pod now; undefined where it does. */
export function judgePressureAdmission(
  pod: Pod,
  conditions: readonly PressureCondition[],
): { readonly reason: string; readonly message: string } | undefined {
  if (conditions.length === 0 || isCritical(pod)) return undefined;
  const isMemoryAlone = conditions.length === 1 && conditions[0] === 'MemoryPressure';
  if (isMemoryAlone && (qosClass(pod) !== 'BestEffort' || tolerates(pod.spec.tolerations ?? [], memoryTaint))) return undefined;
  return { reason: 'Evicted', message: `The node had condition: [${conditions.join(' ')}]. ` };
}
