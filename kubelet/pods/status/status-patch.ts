import type { V1PodCondition, V1PodStatus } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { kubeletConditions } from './conditions.ts';

/** What a kubelet says of a pod. All else in a status is others' and stays as it is. */
const ownFields: readonly (keyof V1PodStatus)[] = [
  'observedGeneration',
  'phase',
  'conditions',
  'message',
  'reason',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
];

/** Lists that a strategic merge would join by a key, though we mean all of them. */
const replacedLists: readonly string[] = ['podIPs', 'hostIPs'];

/**
 * The strategic merge patch that brings our part of `present` to `wanted`; undefined where they are alike. Conditions are joined by
 * type, so that those of others stay. The uid guards against a new pod of the same name.
 */
export function statusPatch(uid: string, present: V1PodStatus, wanted: V1PodStatus): object | undefined {
  const status: Record<string, unknown> = {};
  const before = present as Record<string, unknown>;
  const after = wanted as Record<string, unknown>;
  for (const field of ownFields) {
    const isSame = field === 'conditions' ? equalValues(ownOf(present), ownOf(wanted)) : equalValues(before[field], after[field]);
    if (isSame) continue;
    if (field === 'conditions') Object.assign(status, conditionsPatch(ownOf(present), ownOf(wanted)));
    else if (after[field] === undefined) status[field] = null;
    else if (replacedLists.includes(field)) status[field] = [...(after[field] as unknown[]), { $patch: 'replace' }];
    else status[field] = after[field];
  }
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid }, status };
}

function ownOf({ conditions = [] }: V1PodStatus): V1PodCondition[] {
  return conditions.filter(({ type }) => kubeletConditions.includes(type)).toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

function conditionsPatch(present: readonly V1PodCondition[], wanted: readonly V1PodCondition[]): object {
  const changed = wanted.flatMap((condition) => {
    const known = present.find(({ type }) => type === condition.type);
    if (equalValues(known, condition)) return [];
    const dropped = Object.keys(known ?? {}).filter((key) => !(key in condition));
    return [{ ...Object.fromEntries(dropped.map((key) => [key, null])), ...condition }];
  });
  const removed = present
    .filter(({ type }) => !wanted.some((condition) => condition.type === type))
    .map(({ type }) => ({ $patch: 'delete', type }));
  return { conditions: [...changed, ...removed] };
}
