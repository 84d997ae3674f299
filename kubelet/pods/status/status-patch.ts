import type { V1PodCondition, V1PodStatus } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';

/** Lists that a strategic merge would join by a key, though we mean all of them. */
const replacedLists: readonly string[] = ['podIPs', 'hostIPs'];

/**
 * The strategic merge patch that makes `present` into `wanted`; undefined where they are alike. Conditions are joined by type, so
 * that those which others write meanwhile stay. The uid guards against a new pod of the same name.
 */
export function statusPatch(uid: string, present: V1PodStatus, wanted: V1PodStatus): object | undefined {
  const status: Record<string, unknown> = {};
  const before = present as Record<string, unknown>;
  const after = wanted as Record<string, unknown>;
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (equalValues(before[field], after[field])) continue;
    if (field === 'conditions') Object.assign(status, conditionsPatch(present.conditions ?? [], wanted.conditions ?? []));
    else if (after[field] === undefined) status[field] = null;
    else if (replacedLists.includes(field)) status[field] = [...(after[field] as unknown[]), { $patch: 'replace' }];
    else status[field] = after[field];
  }
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid }, status };
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
  return { '$setElementOrder/conditions': wanted.map(({ type }) => ({ type })), conditions: [...changed, ...removed] };
}
