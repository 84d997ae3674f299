import type { V1Toleration } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';

/** Both lists in their order, without what another entry tolerates, too; of equal ones the first stays. */
export function mergeTolerations(first: readonly V1Toleration[], second: readonly V1Toleration[]): V1Toleration[] {
  const all = [...first, ...second];
  const merged: V1Toleration[] = [];
  for (const [at, one] of all.entries()) {
    const isCovered = merged.some((other) => covers(other, one));
    const isWidened = all.slice(at + 1).some((other) => !equalValues(other, one) && covers(other, one));
    if (!isCovered && !isWidened) merged.push(one);
  }
  return merged;
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
