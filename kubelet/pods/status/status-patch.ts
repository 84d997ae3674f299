import type { V1PodCondition, V1PodStatus } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { disruptionTarget, kubeletConditions } from './conditions.ts';

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
  'allocatedResources',
  'resources',
];

/** Lists that a strategic merge joins by a key. */
const keyedLists: Readonly<Record<string, string>> = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' };

/**
 * The strategic merge patch that brings our part of `present` to `wanted`; undefined where they are alike. Conditions are joined by
 * type, so that those of others stay. The uid guards against a new pod of the same name.
 */
export function statusPatch(uid: string, present: V1PodStatus, wanted: V1PodStatus): object | undefined {
  const status: Record<string, unknown> = {};
  const before: Record<string, unknown> = { ...present, conditions: ownOf(present, wanted) };
  const after: Record<string, unknown> = { ...wanted, conditions: ownOf(wanted, wanted) };
  for (const field of ownFields) {
    const key = keyedLists[field];
    if (equalValues(inOrder(before[field], key), inOrder(after[field], key))) continue;
    if (key !== undefined) status[field] = listPatch(itemsOf(before[field]), itemsOf(after[field]), key);
    else status[field] = after[field] === undefined ? null : after[field];
  }
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid }, status };
}

/** Ours, and what we say of those that we share with others. */
function ownOf({ conditions = [] }: V1PodStatus, { conditions: wanted = [] }: V1PodStatus): V1PodCondition[] {
  const shares = wanted.some(({ type, reason }) => type === disruptionTarget && reason === 'TerminationByKubelet');
  return conditions.filter(({ type }) => kubeletConditions.includes(type) || (shares && type === disruptionTarget));
}

/** The order of conditions means nothing, that of addresses does. */
function inOrder(list: unknown, key: string | undefined): unknown {
  if (key !== 'type') return list;
  return itemsOf(list).toSorted((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1));
}

type Item = Readonly<Record<string, unknown>>;

function itemsOf(list: unknown): readonly Item[] {
  return Array.isArray(list) ? (list as Item[]) : [];
}

/** Changed and new items whole, with null for members that went; items that went by a directive. */
function listPatch(present: readonly Item[], wanted: readonly Item[], key: string): Item[] {
  const changed = wanted.flatMap((item) => {
    const known = present.find((one) => one[key] === item[key]);
    if (equalValues(known, item)) return [];
    const dropped = Object.keys(known ?? {}).filter((member) => !(member in item));
    return [{ ...Object.fromEntries(dropped.map((member) => [member, null])), ...item }];
  });
  const removed = present.filter((one) => !wanted.some((item) => item[key] === one[key]));
  return [...changed, ...removed.map((one) => ({ $patch: 'delete', [key]: one[key] }))];
}
