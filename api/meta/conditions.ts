/** What conditions of all kinds share. Times are RFC 3339 texts. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The condition of a type, if there. */
export function findCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition is there and has status "True". */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * A list with `next` in place of the condition of its type, or behind the others. Keeps the old transition time where the status
 * is the same. Neither argument is changed.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): C[] {
  const list = conditions ?? [];
  const previous = findCondition(list, next.type);
  if (previous === undefined) return [...list, next];
  const kept =
    previous.status === next.status && (previous.lastTransitionTime ?? '') !== ''
      ? { ...next, lastTransitionTime: previous.lastTransitionTime }
      : next;
  return list.map((condition) => (condition.type === next.type ? kept : condition));
}

/** A list without the condition of a type. */
export function withoutCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
