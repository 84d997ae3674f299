// Strategic merge patch: a merge patch that knows from the schema which lists to merge, and by which key. Directives in the patch:
//   $patch: replace | delete | merge      for the object, or the list, that holds it
//   $retainKeys: [..]                     drops every other key of the object
//   $deleteFromPrimitiveList/field: [..]  takes values out of a list of scalars
//   $setElementOrder/field: [..]          orders the merged list
// Order of work, messages and codes are upstream's (apimachinery/pkg/util/strategicpatch).
import type { Json, JsonObject } from '../meta/object.ts';
import { ApiError, badRequest } from '../meta/status.ts';
import type { ObjectSchema, Property, Schema } from '../schema/schema.ts';
import { goKind, goText } from './go-json.ts';
import { cloneJson, getOwn, isObject, setOwn, withinStack } from './json-object.ts';
import { rejected } from './json-patch.ts';
import { elementKind, inPatchOrder, mergeScalars, orderLeftBehind, positions, removeScalars } from './strategic-lists.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
/** Both are followed by a slash and the list's name. */
const deletePrefix = '$deleteFromPrimitiveList';
const orderPrefix = '$setElementOrder';

/** The document with the patch merged in; inputs stay as they are. Throws ApiError. */
export function applyStrategicMergePatch(document: JsonObject, patch: Json, schema: ObjectSchema): JsonObject {
  if (patch === null) return cloneJson(document);
  if (!isObject(patch)) throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
  return withinStack(() => mergeObject(cloneJson(document), cloneJson(patch), schema));
}

/** Merges into `original`, using up `patch`. */
function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const what = getOwn(patch, directive);
  if (what !== undefined) return objectDirective(what, patch);
  retainOnly(original, patch);
  mergeOrderedLists(original, patch, schema);
  for (const key of Object.keys(patch)) {
    const value = patch[key] as Json;
    if (key.startsWith(deletePrefix)) deleteFromList(original, listName(key, deletePrefix), value, schema);
    else if (value === null) delete original[key];
    else mergeField(original, key, value, schema);
  }
  return original;
}

function mergeField(original: JsonObject, key: string, value: Json, schema: Schema): void {
  const current = getOwn(original, key);
  if (isObject(value) && isObject(current)) {
    const { schema: inner, patchStrategy } = lookup(schema, key);
    setOwn(original, key, strategyOf(patchStrategy) === 'replace' ? value : mergeObject(current, value, inner));
  } else if (Array.isArray(value) && Array.isArray(current)) {
    setOwn(original, key, mergeListField(current, value, lookup(schema, key)));
  } else {
    const taken = withoutDirected(withoutNulls(value));
    if (taken === undefined) delete original[key];
    else setOwn(original, key, taken);
  }
}

function objectDirective(what: Json, patch: JsonObject): JsonObject {
  if (what === 'delete') return {};
  if (what !== 'replace') throw unknownDirective(what, patch);
  delete patch[directive];
  return patch;
}

function retainOnly(original: JsonObject, patch: JsonObject): void {
  const keys = getOwn(patch, retainKeys);
  if (keys === undefined) return;
  delete patch[retainKeys];
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set(keys);
  for (const key of Object.keys(patch)) {
    const isDirective = key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
    if (patch[key] !== null && !isDirective && !kept.has(key)) throw badRequest('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
}

function deleteFromList(original: JsonObject, key: string, values: Json, schema: Schema): void {
  if (values === null) delete original[key];
  const current = getOwn(original, key);
  if (!Array.isArray(current) || !Array.isArray(values)) return;
  const property = lookup(schema, key);
  if (strategyOf(property.patchStrategy) !== 'merge') setOwn(original, key, values);
  else if (elementKind([current, values]) === 'scalar') setOwn(original, key, removeScalars(current, values));
  else setOwn(original, key, mergeList(current, values, property));
}

/** Lists whose order the patch gives: merged first, then ordered, and done with. */
function mergeOrderedLists(original: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const directiveKey of Object.keys(patch)) {
    if (!directiveKey.startsWith(orderPrefix)) continue;
    const order = patch[directiveKey] as Json;
    delete patch[directiveKey];
    if (!Array.isArray(order)) throw badType('[]interface {}', order);
    const key = listName(directiveKey, orderPrefix);
    const current = listAt(original, key);
    const wanted = listAt(patch, key);
    const property = lookupList(schema, key);
    const mergeKey = property.patchMergeKey ?? '';
    checkOrder(wanted ?? [], order, mergeKey);
    if (current === undefined && wanted === undefined) continue;
    let merged = current ?? (withoutDirected(wanted as Json[]) as Json[]);
    if (current !== undefined && wanted !== undefined) merged = mergeListField(current, wanted, property);
    requireItems([current ?? [], wanted ?? []]);
    requireMaps(order, merged, mergeKey);
    requireKeys([merged, order, current ?? []], mergeKey);
    setOwn(original, key, inPatchOrder(merged, order, oldOrder(current ?? [], wanted ?? [], property), mergeKey));
    delete patch[key];
  }
}

function oldOrder(
  current: readonly Json[],
  wanted: readonly Json[],
  { patchStrategy, patchMergeKey: key = '' }: Property,
): readonly Json[] {
  if (key === '' || strategyOf(patchStrategy) !== 'merge') return current;
  const items = wanted.filter((item) => isObject(item));
  const gone = items.filter((item) => getOwn(item, directive) === 'delete').map((item) => getOwn(item, key) as Json);
  if (gone.length === 0) return current;
  const isReplaced = items.some((item) => getOwn(item, directive) === 'replace');
  const added = isReplaced ? [] : items.filter((item) => getOwn(item, directive) === undefined);
  return orderLeftBehind(current, gone, added, key);
}

/** The list that a directive is about. */
function listName(key: string, prefix: typeof deletePrefix | typeof orderPrefix): string {
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1);
  throw badRequest(`invalid patch format of ${prefix === deletePrefix ? 'primitive' : 'setElementOrder'} list`);
}

function listAt(object: JsonObject, key: string): Json[] | undefined {
  const value = getOwn(object, key);
  if (value === undefined || Array.isArray(value)) return value;
  throw badType('[]interface {}', value);
}

/** The patch's items must come in the order that the directive states. */
function checkOrder(wanted: readonly Json[], order: readonly Json[], mergeKey: string): void {
  if (wanted.length === 0 || order.length === 0) return;
  const idOf = (item: Json): Json => (mergeKey === '' ? item : requireKey(requireMap(item), mergeKey));
  const kept = mergeKey === '' ? wanted : wanted.filter((item) => getOwn(requireMap(item), directive) !== 'delete');
  let at = 0;
  for (let next = 0; at < kept.length && next < order.length; ) {
    const item = kept[at] as Json;
    if (isObject(item) && getOwn(item, directive) !== undefined) {
      at++;
      continue;
    }
    if (idOf(item) === idOf(order[next] as Json)) at++;
    next++;
  }
  if (at < kept.length) {
    throw failure(`The order in patch list:\n${goText([...wanted])}\n doesn't match ${orderPrefix} list:\n${goText([...order])}\n`);
  }
}

function mergeListField(current: Json[], wanted: Json[], property: Property): Json[] {
  return strategyOf(property.patchStrategy) === 'merge' ? mergeList(current, wanted, property) : wanted;
}

function mergeList(current: Json[], wanted: Json[], { schema, patchMergeKey: mergeKey = '' }: Property): Json[] {
  if (current.length === 0 && wanted.length === 0) return current;
  const kind = elementKind([current, wanted]);
  if (kind === 'list') throw rejected(new Error('lists of lists are not supported'));
  if (kind === 'mixed') throw failure(`list element types are not identical: ${goText([current, wanted])}`);
  if (kind === 'scalar') return inPatchOrder(mergeScalars(current, wanted), wanted, current, '');
  const items = schema.type === 'array' ? schema.items : schema;
  if (mergeKey === '') throw failure(`cannot merge lists without merge key for ${typeName(items)}`);
  const special = takeListDirectives(current as JsonObject[], wanted as JsonObject[], mergeKey);
  const merged = mergeItems(special.current, special.wanted, mergeKey, items);
  requireKeys([merged, special.current], mergeKey);
  return inPatchOrder(merged, special.wanted, special.current, mergeKey);
}

/** Follows the directives among a list's items; answers both lists without what they took care of. */
function takeListDirectives(
  current: JsonObject[],
  wanted: readonly JsonObject[],
  mergeKey: string,
): { current: JsonObject[]; wanted: JsonObject[] } {
  const left: JsonObject[] = [];
  const gone = new Set<Json>();
  let isReplaced = false;
  for (const item of wanted) {
    const what = getOwn(item, directive);
    if (what === undefined) left.push(item);
    else if (what === 'replace') isReplaced = true;
    else if (what === 'delete') gone.add(requireKey(item, mergeKey));
    else if (what === 'merge') throw failure('merging lists cannot yet be specified in the patch');
    else throw unknownDirective(what, item);
  }
  if (isReplaced) return { current: left, wanted: [] };
  const kept = gone.size === 0 ? current : current.filter((item) => !gone.has(requireKey(item, mergeKey)));
  return { current: kept, wanted: left };
}

function mergeItems(current: readonly JsonObject[], wanted: readonly JsonObject[], mergeKey: string, schema: Schema): JsonObject[] {
  const merged = [...current];
  const at = positions(current, mergeKey);
  for (const item of wanted) {
    const id = requireKey(item, mergeKey);
    const found = at.get(id);
    if (found !== undefined) {
      merged[found] = mergeObject(merged[found] as JsonObject, item, schema);
      continue;
    }
    at.set(id, merged.length);
    merged.push(item);
  }
  return merged;
}

/** Lists that state an order must hold items of one kind, and at least one. */
function requireItems(lists: readonly (readonly Json[])[]): void {
  if (lists.every((items) => items.length === 0)) throw failure('no elements in any of the given slices');
  if (elementKind(lists) === 'mixed') throw failure(`list element types are not identical: ${goText(lists as Json)}`);
}

/** Items of a keyed list must all have the key, including those that the patch does not touch. */
function requireKeys(lists: readonly (readonly Json[])[], mergeKey: string): void {
  if (mergeKey === '') return;
  for (const items of lists) for (const item of items) requireKey(requireMap(item), mergeKey);
}

/** Looking each item up in the order stumbles over what is no object, as far as it has to look. */
function requireMaps(order: readonly Json[], merged: readonly Json[], mergeKey: string): void {
  if (mergeKey === '') return;
  const bad = order.findIndex((one) => !isObject(one));
  if (bad < 0) return;
  const before = positions(order.slice(0, bad), mergeKey);
  const isMissed = (item: Json): boolean => !before.has(requireKey(requireMap(item), mergeKey));
  if (merged.some(isMissed)) throw failure(`value for key ${bad} is not a map.`);
}

function requireMap(item: Json): JsonObject {
  if (isObject(item)) return item;
  throw badType('map[string]interface {}', item);
}

function requireKey(item: JsonObject, mergeKey: string): Json {
  const value = getOwn(item, mergeKey);
  if (value === undefined) throw failure(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  return value;
}

/**
 * What takes the place of nothing comes without objects that a `$patch` stands in; undefined when it is one. Other directives stay,
 * for decoding to find, and so does all within items that are added to a list: upstream takes those as they are.
 */
function withoutDirected(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirected).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (getOwn(value, directive) !== undefined) return undefined;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const item = withoutDirected(value[key] as Json);
    if (item !== undefined) setOwn(result, key, item);
  }
  return result;
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(result, key, withoutNulls(value[key] as Json));
  return result;
}

/** `merge`, `replace` or ''; keeping keys is asked for by the patch itself. */
function strategyOf(strategies: string | undefined): string {
  return (
    (strategies ?? '')
      .split(',')
      .map((one) => one.trim())
      .find((one) => one !== 'retainKeys') ?? ''
  );
}

function lookup(schema: Schema, key: string): Property {
  if (schema.type === 'map') throw failure('merging an object in json but data type is not struct, instead is: map');
  const property = schema.type === 'object' && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
  if (property !== undefined) return property;
  throw failure(`unable to find api field in struct ${typeName(schema)} for the json field ${JSON.stringify(key)}`);
}

function lookupList(schema: Schema, key: string): Property {
  const property = lookup(schema, key);
  if (property.schema.type === 'array') return property;
  throw failure('expected slice or array type, but got: struct');
}

function typeName(schema: Schema): string {
  const name = 'name' in schema ? schema.name : undefined;
  return name?.split('.').at(-1) ?? '';
}

/** Upstream gives these no code of their own, so they come as 500 with their text. */
function failure(message: string): ApiError {
  return new ApiError({ reason: '', code: 500, message });
}

function unknownDirective(what: Json, item: JsonObject): ApiError {
  const kinds: Record<string, string> = { number: Number.isInteger(what) ? 'int64' : 'float64', boolean: 'bool' };
  const kind = what === null ? undefined : kinds[typeof what];
  const shown = what === null ? '%!s(<nil>)' : kind === undefined ? goText(what) : `%!s(${kind}=${goText(what)})`;
  return failure(`unknown patch type: ${shown} in map: ${goText(item)}`);
}

function badType(expected: string, actual: Json): ApiError {
  const kinds: Record<string, string> = { string: 'string', boolean: 'bool', number: 'int64' };
  return failure(
    `expected a ${expected}, but received a ${isObject(actual) ? 'map[string]interface {}' : (kinds[typeof actual] ?? '%!s(<nil>)')}`,
  );
}
