import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { LabelSelector } from '#api/meta/label-selector.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from '#api/meta/object.ts';
import { findController } from '#api/meta/owner-references.ts';
import type { TypedResource } from '#client/client.ts';
import { type CacheReader, controllerOf, on, type Wake } from '#client/controller/define.ts';
import type { Expectations } from '#client/expectations.ts';
import { isActive } from '../pods/pod-state.ts';
import deepEqual from 'fast-deep-equal';

/** Which owners look again because of a pod, after noting what its appearance or end fulfils. */
export function podWakes<T extends KubeObject>(
  kind: TypedResource<T>,
  selectorOf: (owner: T) => LabelSelector,
  expectations: Expectations,
): Wake {
  const ownerOf = (object: Pod, cache: CacheReader): readonly ObjectKey[] => {
    const reference = findController(object);
    // Another owner may have the name of one that is gone: then this pod is none of its business.
    return controllerOf(kind)(object).filter((key) => cache.get(kind, key)?.metadata.uid === reference?.uid);
  };
  return on<Pod>(pod, (object, previous, cache, type) => {
    const owners = ownerOf(object, cache);
    for (const owner of owners) {
      if (type === 'removed' || object.metadata.deletionTimestamp !== undefined)
        expectations.deletionSeen(keyText(owner), object.metadata.uid ?? '');
      else if (type === 'added') expectations.creationSeen(keyText(owner));
    }
    const before = previous === undefined ? [] : ownerOf(previous, cache);
    if (findController(object) !== undefined || type === 'removed' || !isActive(object)) return [...owners, ...before];
    const isNews = previous === undefined || before.length > 0 || !deepEqual(object.metadata.labels, previous.metadata.labels);
    return isNews ? [...before, ...possibleOwners(object, cache)] : [];
  });

  function possibleOwners({ metadata }: Pod, cache: CacheReader): readonly ObjectKey[] {
    const owners = cache.list(kind, metadata.namespace);
    return owners.filter((owner) => selectorOf(owner).matches(metadata.labels)).map((owner) => keyOf(owner));
  }
}
