// Server-side apply's own operations on values, along the shape: merging a configuration into an object, taking fields out, and the
// set of fields that a configuration states. Results share parts with their inputs, which are never changed.
import type { Json, JsonObject } from '../meta/object.ts';
import { compareElements, type FieldNode, isEmptySet, isMember, leaf, withoutSelf, withSelf } from './field-set.ts';
import { fieldShape, freeKind, itemElement, type ListShape, type Shape, type StructShape } from './field-shape.ts';
import { isObject, setOwn } from './json-object.ts';

const free: Shape = { kind: 'free' };

/** The object with the configuration merged in: what the configuration states wins, all else stays. */
export function mergeTyped(shape: Shape, live: Json | undefined, config: Json | undefined): Json {
  if (live === undefined || config === undefined) return (config ?? live) as Json;
  // Null over an object of free JSON states nothing about its fields.
  const kind = shape.kind === 'free' ? freeKind(config ?? live) : shape.kind;
  if (kind === 'leaf') return config;
  if (kind === 'list') {
    const [before, after] = [Array.isArray(live) ? live : [], Array.isArray(config) ? config : []];
    return before.length + after.length === 0 ? config : mergeLists(shape as ListShape, before, after);
  }
  const [before, after] = [isObject(live) ? live : {}, isObject(config) ? config : {}];
  if (Object.keys(before).length + Object.keys(after).length === 0) return config;
  const merged: JsonObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    setOwn(merged, key, mergeTyped(entryShape(shape, key), own(before, key), own(after, key)));
  }
  return merged;
}

/** Items of both keep the order of the configuration, the others their place between the neighbours that they had. */
function mergeLists(shape: ListShape, live: readonly Json[], config: readonly Json[]): Json[] {
  const before = keyed(shape, live);
  const after = keyed(shape, config);
  const mine = [...before.keys()];
  const theirs = [...after.keys()];
  const shared = theirs.filter((element) => before.has(element));
  const result: Json[] = [];
  const take = (element: string): void => {
    const [left, right] = [before.get(element) ?? [], after.get(element) ?? []];
    if (left.length <= 1 && right.length <= 1) result.push(mergeTyped(shape.items, left[0], right[0]));
    else result.push(...(right.length > 0 ? right : left));
  };
  let nextShared = 0;
  for (let left = 0, right = 0; left < mine.length || right < theirs.length; ) {
    const ours = mine[left];
    const other = theirs[right];
    if (ours !== undefined && ours === other) {
      take(ours);
      left++;
      right++;
      nextShared++;
    } else if (ours !== undefined && other !== undefined && after.has(ours) && ours !== shared[nextShared]) {
      left++; // In the configuration too, but further on or already taken.
    } else if (ours !== undefined && !after.has(ours)) {
      take(ours);
      left++;
    } else if (other !== undefined) {
      take(other);
      right++;
      if (other === shared[nextShared]) nextShared++;
    } else {
      left++;
    }
  }
  return result;
}

/** The value without the fields of the set. What becomes empty turns to null, as in upstream; `withoutNulls` drops those. */
export function removeFields(shape: Shape, value: Json, set: FieldNode): Json {
  if (isEmptySet(set)) return value;
  if (shape.kind === 'list') {
    if (!Array.isArray(value)) return null;
    const kept = value.flatMap((item) => {
      const found = itemElement(shape, item);
      const node = 'element' in found ? set[found.element] : undefined;
      if (node === undefined) return [item];
      return isMember(node) ? [] : [removeFields(shape.items, item, node)];
    });
    return kept.length > 0 ? kept : null;
  }
  if (!isObject(value) || (shape.kind === 'leaf' && shape.type !== 'map')) return Array.isArray(value) ? null : value;
  if (shape.kind === 'leaf') return null;
  const kept: JsonObject = {};
  for (const key of Object.keys(value)) {
    const node = set[`f:${key}`];
    const item = value[key] as Json;
    if (node === undefined) setOwn(kept, key, item);
    else if (!isMember(node)) setOwn(kept, key, removeFields(entryShape(shape, key), item, node));
  }
  return Object.keys(kept).length > 0 ? kept : null;
}

/** Every field that a configuration states; with `all`, also those that no one can own, such as its name. */
export function statedFields(shape: StructShape, config: JsonObject, which: 'owned' | 'all' = 'owned'): FieldNode {
  return statedBelow(shape, config, which) ?? {};
}

/** What lies below a value, without the value itself; undefined for a leaf, which is a field as it stands. */
function statedBelow(shape: Shape, value: Json, which: 'owned' | 'all'): FieldNode | undefined {
  const kind = shape.kind === 'free' ? freeKind(value) : shape.kind;
  if (kind === 'leaf') return undefined;
  if (shape.kind === 'list') return Array.isArray(value) ? statedItems(shape, value, which) : {};
  if (!isObject(value)) return {};
  const result: Record<string, FieldNode> = {};
  for (const key of Object.keys(value).sort()) {
    const declared = shape.kind === 'struct' ? shape.byName.get(key) : undefined;
    if (which === 'owned' && declared?.isOwned === false) continue;
    const item = value[key] as Json;
    const below = statedBelow(entryShape(shape, key), item, which);
    const isEmpty = item === null || (isObject(item) && Object.keys(item).length === 0);
    const node = below === undefined ? leaf : withSelf(declared === undefined || isEmpty, below);
    if (node !== undefined) result[`f:${key}`] = node;
  }
  return result;
}

function statedItems(shape: ListShape, items: readonly Json[], which: 'owned' | 'all'): FieldNode {
  const index = keyed(shape, items);
  const result: Record<string, FieldNode> = {};
  for (const element of [...index.keys()].sort(compareElements)) {
    const same = index.get(element) as Json[];
    const below = same.length > 1 ? undefined : statedBelow(shape.items, same[0] as Json, which);
    result[element] = (below === undefined ? undefined : withSelf(true, below)) ?? leaf;
  }
  return result;
}

/** The set with every declared field that leads to a member made a member too. */
export function withNamedFields(shape: Shape, set: FieldNode): FieldNode {
  const result: Record<string, FieldNode> = {};
  for (const element of Object.keys(set)) {
    const node = set[element] as FieldNode;
    if (element === '.') continue;
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    const inner = name === undefined ? (shape.kind === 'list' ? shape.items : undefined) : entryShape(shape, name);
    const isNamed = name !== undefined && shape.kind === 'struct' && shape.byName.has(name);
    const below = withNamedFields(inner ?? free, withoutSelf(node));
    const full = withSelf(isNamed || isMember(node), below);
    if (full !== undefined) result[element] = full;
  }
  return result;
}

/** The value without nulls in objects: in a typed object they are nothing. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key] as Json | undefined;
    if (item !== null && item !== undefined) setOwn(kept, key, withoutNulls(item));
  }
  return kept;
}

function entryShape(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') return fieldShape(shape, key) ?? free;
  return shape.kind === 'map' ? shape.values : free;
}

function keyed(shape: ListShape, items: readonly Json[]): Map<string, Json[]> {
  const index = new Map<string, Json[]>();
  for (const item of items) {
    const found = itemElement(shape, item);
    if ('problem' in found) continue;
    const same = index.get(found.element);
    if (same === undefined) index.set(found.element, [item]);
    else same.push(item);
  }
  return index;
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
