// Which fields an object has, and which of them a write added, changed or took away. One walk over the values along the shape;
// this runs for every write, so nothing is made for what stayed the same.
import type { Json, JsonObject } from '../meta/object.ts';
import { compareElements, emptySet, type FieldNode, leaf } from './field-set.ts';
import { compareItems, freeKind, itemElement, type ListShape, readField, type Shape, type StructShape } from './field-shape.ts';
import { equalJson, isBarren, isObject } from './json-object.ts';

/** What a write did. */
export interface FieldChanges {
  /** Added or given another value. */
  readonly changed: FieldNode;
  readonly removed: FieldNode;
}

interface NodeChanges {
  changed?: FieldNode | undefined;
  removed?: FieldNode | undefined;
}

type Building = Record<string, FieldNode>;

/** Compares two forms of an object. */
export function fieldChanges(shape: StructShape, before: JsonObject, after: JsonObject): FieldChanges {
  const found = compareStruct(shape, before, after);
  return { changed: found?.changed ?? emptySet, removed: found?.removed ?? emptySet };
}

/** Where neither side holds anything upstream takes both as one value, so that empty and null stay apart. */
function compare(shape: Shape, before: Json | undefined, after: Json | undefined): NodeChanges | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { changed: wholeNode(shape, after as Json) };
  if (after === undefined) return { removed: wholeNode(shape, before) };
  switch (shape.kind) {
    case 'leaf':
      return compareLeaf(before, after);
    case 'struct':
      return isBarren(before) && isBarren(after) ? compareLeaf(before, after) : compareStruct(shape, asObject(before), asObject(after));
    case 'map':
      return isBarren(before) && isBarren(after) ? compareLeaf(before, after) : compareMap(shape.values, asObject(before), asObject(after));
    case 'list':
      return isBarren(before) && isBarren(after) ? compareLeaf(before, after) : compareList(shape, asList(before), asList(after));
    case 'free':
      return compareFree(shape, before, after);
  }
}

function compareLeaf(before: Json, after: Json): NodeChanges | undefined {
  return equalJson(before, after) ? undefined : { changed: leaf };
}

function compareFree(shape: Shape, before: Json, after: Json): NodeChanges | undefined {
  if (freeKind(before) === 'leaf') return compareLeafWith(shape, before, after);
  // Null fits whatever stands on the other side: the object is there still, without its fields.
  if (freeKind(after) === 'map' || after === null) {
    return isBarren(before) && isBarren(after) ? compareLeaf(before, after) : compareMap(shape, asObject(before), asObject(after));
  }
  return { changed: leaf, removed: compareMap(shape, asObject(before), {})?.removed };
}

/** A scalar or list that turned into an object is another value, and has new fields. */
function compareLeafWith(shape: Shape, before: Json, after: Json): NodeChanges | undefined {
  if (freeKind(after) === 'leaf' || before === null) return compareLeaf(before, after);
  return { changed: wholeNode(shape, after) };
}

function compareStruct(shape: StructShape, before: JsonObject, after: JsonObject): NodeChanges | undefined {
  let result: NodeChanges | undefined;
  for (const field of shape.fields) {
    const was = readField(before, field);
    const is = readField(after, field);
    // In Go's types a field that is null on one side is so on the other: nothing came and nothing went.
    if (was === is || !field.isOwned || (was ?? is ?? null) === null) continue;
    const found = compare(field.shape, was, is);
    if (found !== undefined) result = note(result, field.element, found);
  }
  if (shape.keepsUnknown) result = compareKeys(result, { kind: 'free' }, before, after, (key) => !shape.byName.has(key));
  return result;
}

function compareMap(values: Shape, before: JsonObject, after: JsonObject): NodeChanges | undefined {
  return compareKeys(undefined, values, before, after, () => true);
}

function compareKeys(
  start: NodeChanges | undefined,
  values: Shape,
  before: JsonObject,
  after: JsonObject,
  counts: (key: string) => boolean,
): NodeChanges | undefined {
  let result = start;
  const keys = Object.keys(after);
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) keys.push(key);
  for (const key of keys.sort()) {
    if (!counts(key)) continue;
    const found = compare(values, Object.hasOwn(before, key) ? before[key] : undefined, Object.hasOwn(after, key) ? after[key] : undefined);
    if (found !== undefined) result = note(result, `f:${key}`, found);
  }
  return result;
}

function compareList(shape: ListShape, before: readonly Json[], after: readonly Json[]): NodeChanges | undefined {
  const was = indexItems(shape, before);
  const is = indexItems(shape, after);
  const differing: [string, NodeChanges][] = [];
  const look = (element: string): void => {
    const found = compareSame(shape.items, was.get(element) ?? [], is.get(element) ?? []);
    if (found !== undefined) differing.push([element, found]);
  };
  for (const element of is.keys()) look(element);
  for (const element of was.keys()) if (!is.has(element)) look(element);
  if (differing.length > 1) differing.sort(([left], [right]) => compareElements(left, right));
  let result: NodeChanges | undefined;
  for (const [element, found] of differing) result = note(result, element, found);
  return result;
}

/**
 * Items with the same key are indistinguishable, so they are owned together. Where there are several on one side only, the item
 * of the other side comes, or goes, with all its fields.
 */
function compareSame(shape: Shape, before: readonly Json[], after: readonly Json[]): NodeChanges | undefined {
  if (before.length <= 1 && after.length <= 1) return compare(shape, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return equalJson([...before], [...after]) ? undefined : { changed: leaf };
  const [was] = before;
  const [is] = after;
  if (before.length > 1) return { removed: leaf, ...(is === undefined ? {} : { changed: wholeNode(shape, is) }) };
  return { changed: leaf, ...(was === undefined ? {} : { removed: wholeNode(shape, was) }) };
}

function indexItems(shape: ListShape, items: readonly Json[]): Map<string, Json[]> {
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

/** The node of a value that came or went as a whole: itself and everything below it. */
function wholeNode(shape: Shape, value: Json): FieldNode {
  switch (shape.kind) {
    case 'leaf':
      return leaf;
    case 'struct':
      return isObject(value) ? wholeStruct(shape, value) : leaf;
    case 'map':
      return isObject(value) ? wholeMap(shape.values, value) : leaf;
    case 'free':
      return isObject(value) ? wholeMap(shape, value) : leaf;
    case 'list':
      return Array.isArray(value) && value.length > 0 ? wholeList(shape, value) : leaf;
  }
}

function wholeStruct(shape: StructShape, value: JsonObject): FieldNode {
  let node: Building | undefined;
  for (const field of shape.fields) {
    const item = readField(value, field);
    if (item === undefined || !field.isOwned) continue;
    node ??= { '.': leaf };
    node[field.element] = field.shape.kind === 'leaf' ? leaf : wholeNode(field.shape, item);
  }
  if (shape.keepsUnknown) {
    for (const key of Object.keys(value).sort()) {
      if (shape.byName.has(key)) continue;
      node ??= { '.': leaf };
      node[`f:${key}`] = wholeNode({ kind: 'free' }, value[key] as Json);
    }
  }
  return node ?? leaf;
}

function wholeMap(values: Shape, value: JsonObject): FieldNode {
  const keys = Object.keys(value);
  if (keys.length === 0) return leaf;
  if (keys.length > 1) keys.sort();
  const node: Building = { '.': leaf };
  for (const key of keys) node[`f:${key}`] = wholeNode(values, value[key] as Json);
  return node;
}

function wholeList(shape: ListShape, items: readonly Json[]): FieldNode {
  const node: Building = { '.': leaf };
  const inOrder = items.length > 1 ? items.toSorted((left, right) => compareItems(shape, left, right)) : items;
  for (const item of inOrder) {
    const found = itemElement(shape, item);
    if ('problem' in found) continue;
    const { element } = found;
    // Items with the same key are owned together, as one value.
    node[element] = node[element] === undefined ? wholeNode(shape.items, item) : leaf;
  }
  return node;
}

function note(result: NodeChanges | undefined, element: string, found: NodeChanges): NodeChanges {
  const changes = result ?? {};
  if (found.changed !== undefined) ((changes.changed ??= {}) as Building)[element] = found.changed;
  if (found.removed !== undefined) ((changes.removed ??= {}) as Building)[element] = found.removed;
  return changes;
}

function asObject(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

function asList(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
