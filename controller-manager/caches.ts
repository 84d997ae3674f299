import { replicaSet } from '#api/apps/replica-set.ts';
import { configMap } from '#api/core/config-map.ts';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import { secret } from '#api/core/secret.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { AnyKind } from '#client/client.ts';
import { type CachedKind, cached, kindId } from '#client/cluster-cache.ts';
import type { ControllerDefinition } from '#client/controller/define.ts';
import { byLackOfController, byNode, byService, namespaceIfUncontrolled, nodeOf, serviceOf } from './cache-indexes.ts';
import { metadataOnly, slimConfigMap, slimNode, slimPod, slimSecret, withoutManagedFields } from './cache-transforms.ts';

/** What to cache for these controllers, and of the kinds that only clean-up loops go through. */
export function cachesFor(definitions: readonly ControllerDefinition[], cleanedUp: readonly KindDefinition[]): readonly CachedKind[] {
  const special: readonly CachedKind[] = [
    cached(pod, { transform: slimPod, indexes: { [byNode]: nodeOf, [byLackOfController]: namespaceIfUncontrolled } }),
    cached(replicaSet, { transform: withoutManagedFields, indexes: { [byLackOfController]: namespaceIfUncontrolled } }),
    cached(endpointSlice, { transform: withoutManagedFields, indexes: { [byService]: serviceOf } }),
    cached(node, { transform: slimNode }),
    cached(configMap, { transform: slimConfigMap }),
    cached(secret, { transform: slimSecret }),
  ];
  const known = new Set(special.map(({ kind }) => kindId(kind)));
  const caches = [...special];
  const add = (kind: AnyKind, transform: <T extends never>(object: T) => T): void => {
    if (known.has(kindId(kind))) return;
    known.add(kindId(kind));
    caches.push(cached(kind, { transform }));
  };
  for (const { reconciles, reads } of definitions)
    for (const kind of [reconciles as unknown as AnyKind, ...reads]) add(kind, withoutManagedFields);
  for (const kind of cleanedUp) add(kind as unknown as AnyKind, metadataOnly);
  return caches;
}
