import type { LabelSelector } from '#api/meta/label-selector.ts';
import { type KubeObject, keyOf } from '#api/meta/object.ts';
import { isControlledBy } from '#api/meta/owner-references.ts';
import { hasReason } from '#api/meta/status.ts';
import type { TypedResource } from '#client/client.ts';
import type { CacheReader, ReconcileContext } from '#client/controller/define.ts';
import { byLackOfController } from '../cache-indexes.ts';
import { adoptPatch, planClaims, releasePatch } from './claim.ts';

interface Claim<O extends KubeObject, C extends KubeObject> {
  readonly ownerKind: TypedResource<O>;
  readonly owner: O;
  readonly childKind: TypedResource<C>;
  readonly selector: LabelSelector;
  /** Which children count at all; default all. */
  readonly isEligible?: (child: C) => boolean;
}

/** The owner's children, after strays that match its selector were taken in and those that match no more were let go. */
export async function claimChildren<O extends KubeObject, C extends KubeObject>(
  { ownerKind, owner, childKind, selector, isEligible = () => true }: Claim<O, C>,
  { cache, client, signal }: ReconcileContext,
): Promise<readonly C[]> {
  const candidates = candidatesFor(owner, childKind, cache).filter(isEligible);
  const plan = planClaims({ owner, candidates, matches: (labels) => selector.matches(labels) });
  const mine = [...plan.mine];
  // The cache may show an owner that was deleted and made anew: ask before taking anything in.
  if (plan.adopt.length > 0 && (await isStillThere())) {
    for (const child of plan.adopt) {
      const adopted = await unlessGone(client.patch(childKind, keyOf(child), adoptPatch(ownerKind, owner, child), asStrategic, signal));
      if (adopted !== undefined) mine.push(adopted);
    }
  }
  for (const child of plan.release)
    await unlessGone(client.patch(childKind, keyOf(child), releasePatch(owner, child), asStrategic, signal));
  return mine;

  async function isStillThere(): Promise<boolean> {
    const fresh = await unlessGone(client.get(ownerKind, keyOf(owner), signal));
    return fresh?.metadata.uid === owner.metadata.uid && fresh?.metadata.deletionTimestamp === undefined;
  }
}

const asStrategic = { type: 'strategic' } as const;

/** The owner's children and those without a controller: all that a selector may match. */
function candidatesFor<C extends KubeObject>(owner: KubeObject, childKind: TypedResource<C>, cache: CacheReader): readonly C[] {
  const own = cache.ownedBy(childKind, owner.metadata.uid ?? '').filter((child) => isControlledBy(child, owner));
  return [...own, ...cache.byIndex(childKind, byLackOfController, owner.metadata.namespace ?? '')];
}

/** Undefined where the object is gone, or another one has its name by now. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasReason(error, 'NotFound', 'Invalid', 'Conflict')) return undefined;
    throw error;
  }
}
