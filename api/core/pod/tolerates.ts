import type { V1Taint, V1Toleration } from '#api/generated/types.ts';

/** True when one of the tolerations covers the taint. */
export function tolerates(tolerations: readonly V1Toleration[], taint: V1Taint): boolean {
  for (const toleration of tolerations) if (covers(toleration, taint)) return true;
  return false;
}

function covers({ key, operator, value, effect }: V1Toleration, taint: V1Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  // No key covers every taint, which validation allows only with Exists.
  if (key !== undefined && key !== '' && key !== taint.key) return false;
  switch (operator ?? 'Equal') {
    case '':
    case 'Equal':
      return (value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    default:
      return false;
  }
}
