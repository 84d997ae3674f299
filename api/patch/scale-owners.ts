// Who owns the number of replicas, seen through the scale sub-resource: a Scale's managedFields are those entries of its object's that
// own the number, and what applying a Scale makes of them goes back into the object's (upstream's ScaleHandler).
import type { V1ManagedFieldsEntry } from '#api/generated/types.ts';
import { difference, type FieldNode, hasPath, isEmptySet, setOf } from './field-set.ts';
import { ownerId, type Owners, ownersOf, toEntries } from './owners.ts';

type Entries = readonly V1ManagedFieldsEntry[] | undefined;

/** Where the object keeps its number. */
interface ReplicasField {
  /** Dotted. */
  readonly path: string;
  /** Of the object. */
  readonly apiVersion: string;
}

const scaleVersion = 'autoscaling/v1';
const inScale = elements('spec.replicas');

/** The managedFields of an object's Scale. */
export function scaleEntries(entries: Entries, { path }: ReplicasField): V1ManagedFieldsEntry[] | undefined {
  const owners: Owners = new Map();
  const wanted = elements(path);
  for (const owner of ownersOf(entries).values()) {
    if (!hasPath(owner.fields, wanted)) continue;
    const seen = { ...owner, apiVersion: scaleVersion, fields: setOf([inScale]) };
    owners.set(ownerId(seen), seen);
  }
  return toEntries(owners);
}

/**
 * The managedFields of the object after its Scale's have changed. Who is no owner there any more loses the number; who is one anew gets
 * an entry of its own, which has no time, as upstream's has none.
 */
export function objectEntries(entries: Entries, scaled: Entries, { path, apiVersion }: ReplicasField): V1ManagedFieldsEntry[] | undefined {
  const owners: Owners = new Map();
  const remaining = ownersOf(scaled);
  const field = elements(path);
  const number: FieldNode = setOf([field]);
  for (const [id, owner] of ownersOf(entries)) {
    const isKept = !hasPath(owner.fields, field) || remaining.delete(ownerId({ ...owner, apiVersion: scaleVersion }));
    const fields = isKept ? owner.fields : difference(owner.fields, number);
    if (!isEmptySet(fields)) owners.set(id, { ...owner, fields });
  }
  for (const owner of remaining.values()) {
    if (!hasPath(owner.fields, inScale)) continue;
    const own = { ...owner, apiVersion, time: undefined, fields: number };
    owners.set(ownerId(own), own);
  }
  return toEntries(owners);
}

function elements(path: string): string[] {
  return path
    .replace(/^\./, '')
    .split('.')
    .map((name) => `f:${name}`);
}
