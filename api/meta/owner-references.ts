import type { V1OwnerReference } from '#api/generated/types.ts';
import type { Resource } from '../kind.ts';
import { apiVersionOf, type KubeObject } from './object.ts';

/** The reference that marks `owner` as the managing controller of what it makes. */
export function controllerReference(kind: Resource, owner: KubeObject): V1OwnerReference {
  return { ...ownerReference(kind, owner), controller: true, blockOwnerDeletion: true };
}

/** A plain reference, without controller. */
export function ownerReference(kind: Resource, owner: KubeObject): V1OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name ?? '', uid: owner.metadata.uid ?? '' };
}

/** The reference with `controller: true`, if any. */
export function findController(object: KubeObject): V1OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** True when `owner` is the managing controller of `object`; compares uids. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return findController(object)?.uid === owner.metadata.uid && owner.metadata.uid !== undefined;
}

/** The group of an `apiVersion`: '' for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
