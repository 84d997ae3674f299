import type { V1OwnerReference } from '#api/generated/types.ts';

/** How an owner stands: there, gone, or there but waiting in foreground deletion for this very dependent to go. */
export type OwnerState = 'solid' | 'absent' | 'waiting';

export type DependentPlan =
  | { readonly kind: 'keep' }
  /** Owners that count no more are taken out of the references; others keep the object. */
  | { readonly kind: 'disown'; readonly uids: readonly string[] }
  | { readonly kind: 'delete'; readonly propagation: 'Foreground' | 'Background' | 'Orphan' };

export interface DependentView {
  readonly owners: readonly { readonly reference: V1OwnerReference; readonly state: OwnerState }[];
  readonly finalizers: readonly string[];
  /** Whether something in turn belongs to this object. */
  readonly hasDependents: boolean;
}

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/** What becomes of an object whose owners changed (upstream's pkg/controller/garbagecollector, attemptToDeleteItem). */
export function planDependent({ owners, finalizers, hasDependents }: DependentView): DependentPlan {
  if (owners.length === 0) return { kind: 'keep' };
  const uidsOf = (...states: OwnerState[]): string[] =>
    owners.filter(({ state }) => states.includes(state)).map(({ reference }) => reference.uid);
  if (owners.some(({ state }) => state === 'solid')) {
    const lost = uidsOf('absent', 'waiting');
    return lost.length === 0 ? { kind: 'keep' } : { kind: 'disown', uids: lost };
  }
  // An owner that waits wants to see everything below it gone, so the wait goes on one level down.
  if (uidsOf('waiting').length > 0 && hasDependents) return { kind: 'delete', propagation: 'Foreground' };
  if (finalizers.includes(orphanFinalizer)) return { kind: 'delete', propagation: 'Orphan' };
  return { kind: 'delete', propagation: finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background' };
}
