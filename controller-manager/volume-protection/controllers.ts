// Claims and volumes that are in use stay until nobody uses them (upstream's pkg/controller/volume/{pvc,pv}protection): admission put a
// finalizer on them, which goes here.
import { persistentVolume, type PersistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import { persistentVolumeClaim, type PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import type { KubeObject, ObjectKey } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Client, TypedResource } from '#client/client.ts';
import { type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { claimFinalizer, mayGo, mayRelease, volumeFinalizer } from './plan.ts';

/** Lets a claim go once no pod uses it. */
export function claimProtectionController(): ControllerDefinition {
  return defineController<PersistentVolumeClaim>({
    name: 'persistentvolumeclaim-protection-controller',
    reconciles: persistentVolumeClaim,
    reads: [pod],
    writes: [persistentVolumeClaim],
    wakes: [
      // Claims that wait to go are few; any pod of their namespace may have been the last one.
      on<Pod>(pod, ({ metadata: { namespace } }, _previous, cache) =>
        cache
          .list<PersistentVolumeClaim>(persistentVolumeClaim)
          .flatMap(({ metadata }): ObjectKey[] =>
            metadata.namespace === namespace && metadata.deletionTimestamp !== undefined ? [{ namespace, name: metadata.name ?? '' }] : [],
          ),
      ),
    ],
    async reconcile({ key, cache, client, signal }) {
      const claim = cache.get<PersistentVolumeClaim>(persistentVolumeClaim, key);
      if (claim?.metadata.deletionTimestamp === undefined) return done;
      // Asked for anew: the caches keep no volumes of pods, and a claim that goes too early does not come back.
      const { items } = await client.list<Pod>(pod, { namespace: key.namespace }, signal);
      if (mayRelease(claim, items)) await release(client, persistentVolumeClaim, claim, claimFinalizer, signal);
      return done;
    },
  });
}

/** Lets a volume go once no claim is bound to it. */
export function volumeProtectionController(): ControllerDefinition {
  return defineController<PersistentVolume>({
    name: 'persistentvolume-protection-controller',
    reconciles: persistentVolume,
    reads: [],
    writes: [persistentVolume],
    async reconcile({ key, cache, client, signal }) {
      const volume = cache.get<PersistentVolume>(persistentVolume, key);
      if (volume !== undefined && mayGo(volume)) await release(client, persistentVolume, volume, volumeFinalizer, signal);
      return done;
    },
  });
}

async function release<T extends KubeObject>(
  client: Client,
  kind: TypedResource<T>,
  object: T,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  try {
    await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers } }, {}, signal);
  } catch (error) {
    // Gone, or changed: then it comes again.
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
  }
}
