import type { V1ObjectMeta, V1OwnerReference } from '#api/generated/types.ts';

/** How an owner stands: there, gone, or there but waiting in foreground deletion for this very dependent to go. */
export type OwnerState = 'solid' | 'absent' | 'waiting';

export type DependentPlan =
  | { readonly kind: 'keep' }
  /** Owners that count no more are taken out of the references; others keep the object. */
  | { readonly kind: 'disown'; readonly uids: readonly string[] }
  /** `unblock`: the object stops holding up its owners, since in a circle all would wait for each other. */
  | { readonly kind: 'delete'; readonly propagation: 'Foreground' | 'Background' | 'Orphan'; readonly unblock: boolean };

interface DependentView {
  readonly owners: readonly { readonly reference: V1OwnerReference; readonly state: OwnerState }[];
  readonly finalizers: readonly string[];
  /** What in turn belongs to this object. */
  readonly dependents: readonly V1ObjectMeta[];
}

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/** What becomes of an object whose owners changed (upstream's pkg/controller/garbagecollector, attemptToDeleteItem). */
export function planDependent({ owners, finalizers, dependents }: DependentView): DependentPlan {
  if (owners.length === 0) return { kind: 'keep' };
  const uidsOf = (...states: OwnerState[]): string[] =>
    owners.filter(({ state }) => states.includes(state)).map(({ reference }) => reference.uid);
  if (owners.some(({ state }) => state === 'solid')) {
    const lost = uidsOf('absent', 'waiting');
    return lost.length === 0 ? { kind: 'keep' } : { kind: 'disown', uids: lost };
  }
  // An owner that waits wants to see everything below it gone, so the wait goes on one level down.
  if (uidsOf('waiting').length > 0 && dependents.length > 0) {
    return { kind: 'delete', propagation: 'Foreground', unblock: dependents.some(waitsForDependents) };
  }
  if (finalizers.includes(orphanFinalizer)) return { kind: 'delete', propagation: 'Orphan', unblock: false };
  return { kind: 'delete', propagation: finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background', unblock: false };
}

type OwnerPlan =
  | { readonly kind: 'keep' }
  /** Dependents lose their reference, then the object loses this finalizer. */
  | { readonly kind: 'orphan' }
  /** Dependents that hold it up are looked at; it waits. */
  | { readonly kind: 'wait' }
  /** Nothing holds it up any more. */
  | { readonly kind: 'release' };

/** What becomes of an object that is being deleted, as far as its dependents matter. */
export function planOwner(object: V1ObjectMeta, dependents: readonly V1ObjectMeta[]): OwnerPlan {
  if (object.deletionTimestamp === undefined) return { kind: 'keep' };
  if (object.finalizers?.includes(orphanFinalizer) === true) return { kind: 'orphan' };
  if (!waitsForDependents(object)) return { kind: 'keep' };
  return dependents.some((dependent) => blocks(dependent, object)) ? { kind: 'wait' } : { kind: 'release' };
}

/** True in foreground deletion. */
export function waitsForDependents({ deletionTimestamp, finalizers }: V1ObjectMeta): boolean {
  return deletionTimestamp !== undefined && finalizers?.includes(foregroundFinalizer) === true;
}

/** True while dependents have a say in the deletion of an object. */
export function isHeldForDependents(object: V1ObjectMeta): boolean {
  return waitsForDependents(object) || (object.deletionTimestamp !== undefined && object.finalizers?.includes(orphanFinalizer) === true);
}

/** Owners that an object held up before and does not now: they may have been waiting for that. */
export function unblockedOwners(previous: V1ObjectMeta, now: V1ObjectMeta): readonly V1OwnerReference[] {
  const held = (previous.ownerReferences ?? []).filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true);
  return held.filter(({ uid }) => !blocks(now, { uid }));
}

function blocks(dependent: V1ObjectMeta, owner: V1ObjectMeta): boolean {
  return dependent.ownerReferences?.some(({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true) === true;
}
