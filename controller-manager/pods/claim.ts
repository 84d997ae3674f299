import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { controllerReference, findController } from '#api/meta/owner-references.ts';

interface ClaimPlan<T> {
  /** Children that are the owner's, before and after this plan. */
  readonly mine: readonly T[];
  /** Matching ones without a controller: to be taken in. */
  readonly adopt: readonly T[];
  /** The owner's that do not match any more: to be let go. */
  readonly release: readonly T[];
}

interface ClaimQuery<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly candidates: readonly T[];
  readonly matches: (labels: Readonly<Record<string, string>>) => boolean;
}

/** Sorts children by whose they are and should be (upstream's pkg/controller/controller_ref_manager.go). An owner that is going adopts nothing. */
export function planClaims<T extends KubeObject>({ owner, candidates, matches }: ClaimQuery<T>): ClaimPlan<T> {
  const plan = { mine: [] as T[], adopt: [] as T[], release: [] as T[] };
  const isGoing = owner.metadata.deletionTimestamp !== undefined;
  for (const child of candidates) {
    const controller = findController(child);
    const isMatch = matches(child.metadata.labels ?? {});
    if (controller === undefined) {
      if (!isGoing && isMatch && child.metadata.deletionTimestamp === undefined) plan.adopt.push(child);
    } else if (controller.uid === owner.metadata.uid) {
      if (isMatch) plan.mine.push(child);
      else if (!isGoing) plan.release.push(child);
    }
  }
  return plan;
}

/** The strategic merge patch that takes a child in; refused by the server when it is another object by now. */
export function adoptPatch(kind: Resource, owner: KubeObject, child: KubeObject): object {
  return { metadata: { ownerReferences: [controllerReference(kind, owner)], uid: child.metadata.uid } };
}

/** The strategic merge patch that lets a child go. */
export function releasePatch(owner: KubeObject, child: KubeObject): object {
  return { metadata: { ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }], uid: child.metadata.uid } };
}
