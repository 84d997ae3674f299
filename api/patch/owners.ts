// managedFields as a table: who owns which fields of an object. The wire form is a list; here each owner is found by what makes it
// one owner upstream: manager, operation, sub-resource, and for updates the version.
import type { V1ManagedFieldsEntry } from '#api/generated/types.ts';
import type { Json } from '../meta/object.ts';
import { compareElements, type FieldNode, leaf, union } from './field-set.ts';
import { goJson } from './go-json.ts';
import { isObject } from './json-object.ts';

export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339 to the second; undefined where none was given. */
  readonly time: string | undefined;
  readonly fields: FieldNode;
}

export type Owners = Map<string, Owner>;

/** At most so many owners by update are kept apart; the oldest are merged beyond that. */
const maxUpdateOwners = 10;

/** What makes an owner one and the same over time. */
export function ownerId(owner: Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const version = owner.operation === 'Apply' ? '' : owner.apiVersion;
  return `${owner.operation}\n${version}\n${owner.subresource}\n${owner.manager}`;
}

/** The table of an object's entries as the server itself wrote them. */
export function ownersOf(entries: readonly V1ManagedFieldsEntry[] | undefined): Owners {
  const owners: Owners = new Map();
  for (const entry of entries ?? []) add(owners, entry, (entry.fieldsV1 ?? leaf) as FieldNode);
  return owners;
}

/** The table of entries that a client sent; undefined when any of them is not well formed. */
export function ownersSent(entries: readonly V1ManagedFieldsEntry[]): Owners | undefined {
  const owners: Owners = new Map();
  for (const entry of entries) {
    if (!isObject(entry) || (entry.operation !== 'Apply' && entry.operation !== 'Update')) return undefined;
    if (!entry.apiVersion || entry.fieldsType !== 'FieldsV1') return undefined;
    const fields = cleanSet((entry.fieldsV1 ?? {}) as Json);
    if (fields === undefined) return undefined;
    add(owners, entry, fields);
  }
  return owners;
}

function add(owners: Owners, entry: V1ManagedFieldsEntry, fields: FieldNode): void {
  const owner: Owner = {
    manager: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields,
  };
  owners.set(ownerId(owner), owner);
}

/** The wire form, in upstream's order; undefined where there are no managers. */
export function toEntries(owners: Owners): V1ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const list = [...owners.values()];
  if (list.length > 1) list.sort(byOperationAndTime);
  return list.map(toEntry);
}

function toEntry(owner: Owner): V1ManagedFieldsEntry {
  const { manager, operation, apiVersion, subresource, time, fields } = owner;
  const entry: V1ManagedFieldsEntry = { manager, operation, apiVersion };
  if (time !== undefined) entry.time = time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = fields;
  if (subresource !== '') entry.subresource = subresource;
  return entry;
}

function byOperationAndTime(left: Owner, right: Owner): number {
  return (
    compareText(left.operation, right.operation) ||
    seconds(left) - seconds(right) ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

/**
 * Merges the oldest owners by update into one for each version, until few enough are left. Changes the table in place. The first of
 * a version stays as it is until a second one comes, and for good where a merged one is there from earlier writes.
 */
export function capOwners(owners: Owners): void {
  const updaters = [...owners.values()].filter(({ operation }) => operation === 'Update');
  let excess = updaters.length - maxUpdateOwners;
  if (excess <= 0) return;
  updaters.sort((left, right) => seconds(left) - seconds(right) || compareText(managerIdentity(left), managerIdentity(right)));
  const firstOfVersion = new Map<string, Owner>();
  for (const owner of updaters) {
    if (excess <= 0) return;
    const first = firstOfVersion.get(owner.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(owner.apiVersion, owner);
      continue;
    }
    mergeIntoBucket(owners, first, owner);
    excess--;
  }
}

function mergeIntoBucket(owners: Owners, first: Owner, owner: Owner): void {
  const bucket: Owner = { ...owner, manager: 'ancient-changes', subresource: '' };
  const id = ownerId(bucket);
  const before = owners.get(id);
  // What was merged earlier is never merged into itself, which would lose it: it takes the first one in.
  const isBucket = ownerId(owner) === id;
  const other = before === undefined || isBucket ? first : before;
  owners.delete(ownerId(owner));
  if (other === first) owners.delete(ownerId(first));
  owners.set(id, { ...bucket, fields: union(other.fields, owner.fields) });
}

/** Upstream's identifier of a manager, which orders its messages. */
export function managerIdentity({ manager, operation, apiVersion, subresource }: Owner): string {
  const version = operation === 'Apply' ? {} : { apiVersion };
  return JSON.stringify({ manager, operation, ...version, ...(subresource === '' ? {} : { subresource }) });
}

/** A set as a client wrote it, in the canonical form; undefined when it is none. */
function cleanSet(value: Json): FieldNode | undefined {
  if (!isObject(value)) return undefined;
  const result: Record<string, FieldNode> = {};
  const entries: [string, Json][] = [];
  for (const [key, below] of Object.entries(value)) {
    const element = cleanElement(key);
    if (element === undefined) return undefined;
    entries.push([element, below]);
  }
  for (const [element, below] of entries.sort(([left], [right]) => compareElements(left, right))) {
    const node = cleanSet(below);
    if (node === undefined) return undefined;
    result[element] = node;
  }
  return result;
}

function cleanElement(text: string): string | undefined {
  if (text === '.' || text.startsWith('f:') || /^i:-?\d+$/.test(text)) return text;
  if (!text.startsWith('k:') && !text.startsWith('v:')) return undefined;
  try {
    const value = JSON.parse(text.slice(2)) as Json;
    return text.startsWith('k:') && !isObject(value) ? undefined : text.slice(0, 2) + goJson(value);
  } catch {
    return undefined;
  }
}

function seconds(owner: Owner): number {
  return owner.time === undefined ? 0 : Math.floor(Date.parse(owner.time) / 1_000);
}

function compareText(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
