import type { Node } from '#api/core/node/node.ts';
import type { V1NodeCondition, V1Taint } from '#api/generated/types.ts';
import { findCondition, withCondition } from '#api/meta/conditions.ts';
import { timeText } from '#client/timestamps.ts';

const notReadyTaint = 'node.kubernetes.io/not-ready';
const unreachableTaint = 'node.kubernetes.io/unreachable';
const unschedulableTaint = 'node.kubernetes.io/unschedulable';

/** Conditions that a node agent reports, and what upstream says when it was never heard of. */
const reported: readonly string[] = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Taints that keep new pods away, by condition and the status that calls for them. */
const scheduleTaints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const ownScheduleTaints = new Set([unschedulableTaint, ...Object.values(scheduleTaints).flatMap((byStatus) => Object.values(byStatus))]);
const ownExecuteTaints = new Set([notReadyTaint, unreachableTaint]);

/** The conditions of a node that has not been heard of for too long. */
export function silentConditions(object: Node, nowMs: number): V1NodeCondition[] {
  const before = object.status?.conditions ?? [];
  return reported.reduce<V1NodeCondition[]>((conditions, type) => {
    const known = findCondition(conditions, type);
    if (known?.status === 'Unknown') return conditions;
    const isNew = known === undefined;
    return withCondition(conditions, {
      type,
      status: 'Unknown',
      reason: isNew ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
      message: isNew ? 'Kubelet never posted node status.' : 'Kubelet stopped posting node status.',
      lastHeartbeatTime: known?.lastHeartbeatTime ?? object.metadata.creationTimestamp ?? timeText(nowMs),
      lastTransitionTime: timeText(nowMs),
    } as V1NodeCondition & { lastTransitionTime: string });
  }, before);
}

/** May pods be driven off a lost node: yes; not yet, but where it has begun it goes on; no, and what has begun is called off. */
export type Eviction = 'allowed' | 'held' | 'stopped';

/** The taints that a node should have: others' stay, those of this loop follow its conditions. */
export function wantedTaints(object: Node, { eviction, nowMs }: { readonly eviction: Eviction; readonly nowMs: number }): V1Taint[] {
  const before = object.spec?.taints ?? [];
  const isOwn = ({ key, effect }: V1Taint): boolean =>
    (effect === 'NoSchedule' && ownScheduleTaints.has(key)) || (effect === 'NoExecute' && ownExecuteTaints.has(key));
  const wanted: V1Taint[] = [];
  for (const [type, byStatus] of Object.entries(scheduleTaints)) {
    const key = byStatus[findCondition(object.status?.conditions, type)?.status ?? ''];
    if (key !== undefined) wanted.push({ key, effect: 'NoSchedule' });
  }
  if (object.spec?.unschedulable === true) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' });
  const drive = executeTaint(object);
  const hasBegun = before.some(({ key, effect }) => effect === 'NoExecute' && ownExecuteTaints.has(key));
  if (drive !== undefined && (eviction === 'allowed' || (eviction === 'held' && hasBegun)))
    wanted.push({ key: drive, effect: 'NoExecute' });
  const known = (taint: V1Taint): V1Taint | undefined => before.find(({ key, effect }) => key === taint.key && effect === taint.effect);
  return [...before.filter((taint) => !isOwn(taint)), ...wanted.map((taint) => known(taint) ?? { ...taint, timeAdded: timeText(nowMs) })];
}

/** True for a node that this loop keeps pods off by a NoExecute taint. */
export function isBeingEmptied({ spec }: Node): boolean {
  return spec?.taints?.some(({ key, effect }) => effect === 'NoExecute' && ownExecuteTaints.has(key)) === true;
}

/** The taint that drives pods off this node by its Ready condition; undefined while it is ready. */
export function executeTaint({ status }: Node): string | undefined {
  const ready = findCondition(status?.conditions, 'Ready')?.status;
  if (ready === 'False') return notReadyTaint;
  return ready === 'Unknown' ? unreachableTaint : undefined;
}

export function isReady({ status }: Node): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'True';
}

/** True once this loop has given up hearing from the node. */
export function isUnheard({ status }: Node): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'Unknown';
}
