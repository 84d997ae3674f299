import type { V1Toleration } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';

/** Both lists in their order, without what another entry tolerates, too; of equal ones the first stays. */
export function mergeTolerations(first: readonly V1Toleration[], second: readonly V1Toleration[]): V1Toleration[] {
  const all = [...first, ...second];
  // Only those of the same key or of none can cover one: a pod may have ten thousand of all different keys.
  const later = byKey(all);
  const merged = new Map<string, V1Toleration[]>();
  const kept: V1Toleration[] = [];
  for (const [at, one] of all.entries()) {
    const keys = new Set([one.key ?? '', '']);
    const isCovered = [...keys].some((key) => merged.get(key)?.some((other) => covers(other, one)));
    const isWidened = [...keys].some((key) =>
      later.get(key)?.some((other) => other.at > at && !equalValues(other.toleration, one) && covers(other.toleration, one)),
    );
    if (isCovered || isWidened) continue;
    kept.push(one);
    add(merged, one.key ?? '', one);
  }
  return kept;
}

interface Placed {
  readonly at: number;
  readonly toleration: V1Toleration;
}

function byKey(tolerations: readonly V1Toleration[]): Map<string, Placed[]> {
  const found = new Map<string, Placed[]>();
  for (const [at, toleration] of tolerations.entries()) add(found, toleration.key ?? '', { at, toleration });
  return found;
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/** Whether `wide` tolerates all that `narrow` does. */
export function covers(wide: V1Toleration, narrow: V1Toleration): boolean {
  if (equalValues(wide, narrow)) return true;
  const { key = '', operator = '', effect = '', value = '', tolerationSeconds } = wide;
  if (key !== (narrow.key ?? '') && (key !== '' || operator !== 'Exists')) return false;
  if (effect !== '' && effect !== (narrow.effect ?? '')) return false;
  if (effect === 'NoExecute' && tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > tolerationSeconds) return false;
  }
  if (operator === 'Exists') return true;
  return (operator === '' || operator === 'Equal') && narrow.operator === 'Equal' && (narrow.value ?? '') === value;
}
