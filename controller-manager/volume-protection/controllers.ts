// Claims, volumes and classes of their attributes are protected while they are in use (upstream's
// pkg/controller/volume/{pvc,pv,vac}protection): admission adds their finalizer, which is removed here.
import { persistentVolume, type PersistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import { persistentVolumeClaim, type PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import type { KubeObject, ObjectKey } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { volumeAttributesClass, type VolumeAttributesClass } from '#api/storage/volume-attributes-class.ts';
import type { Client, TypedResource } from '#client/client.ts';
import { type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { claimFinalizer, classesOfClaim, classFinalizer, classOfVolume, mayGo, mayRelease, planClass, volumeFinalizer } from './plan.ts';

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

/** Lets a class of volume attributes go once no claim and no volume names it. */
export function classProtectionController(): ControllerDefinition {
  const keys = (names: readonly string[]): ObjectKey[] => names.map((name) => ({ name }));
  return defineController<VolumeAttributesClass>({
    name: 'volumeattributesclass-protection-controller',
    reconciles: volumeAttributesClass,
    reads: [persistentVolumeClaim, persistentVolume],
    writes: [volumeAttributesClass],
    wakes: [
      on<PersistentVolumeClaim>(persistentVolumeClaim, (claim, previous, _cache, type) =>
        type === 'added' ? [] : keys(type === 'removed' ? classesOfClaim(claim) : previous === undefined ? [] : classesOfClaim(previous)),
      ),
      on<PersistentVolume>(persistentVolume, (volume, previous, _cache, type) => {
        const left = type === 'removed' ? volume : type === 'updated' ? previous : undefined;
        return keys([left === undefined ? undefined : classOfVolume(left)].filter((name) => name !== undefined));
      }),
    ],
    async reconcile({ key, cache, client, signal }) {
      const found = cache.get<VolumeAttributesClass>(volumeAttributesClass, key);
      if (found === undefined) return done;
      const claims = cache.list<PersistentVolumeClaim>(persistentVolumeClaim);
      const plan = planClass(found, claims, cache.list<PersistentVolume>(persistentVolume));
      if (plan === 'release') await release(client, volumeAttributesClass, found, classFinalizer, signal);
      // Classes that were made before admission did so are held from here on.
      if (plan === 'hold') await hold(client, found, signal);
      return done;
    },
  });
}

async function hold(client: Client, object: VolumeAttributesClass, signal: AbortSignal): Promise<void> {
  await write(client, volumeAttributesClass, object, [...(object.metadata.finalizers ?? []), classFinalizer], signal);
}

async function release<T extends KubeObject>(
  client: Client,
  kind: TypedResource<T>,
  object: T,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const left = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  await write(client, kind, object, left, signal);
}

async function write<T extends KubeObject>(
  client: Client,
  kind: TypedResource<T>,
  object: T,
  finalizers: string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers } }, {}, signal);
  } catch (error) {
    // Gone, or changed: then it comes again.
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
  }
}
