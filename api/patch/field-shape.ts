// What ownership needs to know of a schema, compiled once per kind: which values have fields of their own, which are one value,
// and how the items of a list are identified. Compiled shapes are shared and never change.
import type { MapSchema, ObjectSchema, Property, Schema } from '../schema/schema.ts';
import type { Json, JsonObject } from '../meta/object.ts';
import { compareValues } from './field-set.ts';
import { goJson, goJsonString } from './go-json.ts';
import { getOwn, isObject } from './json-object.ts';

/** A value that is owned whole: scalars, atomic lists, atomic maps. `type` is what apply checks. */
export interface LeafShape {
  readonly kind: 'leaf';
  readonly type: 'string' | 'number' | 'boolean' | 'scalar' | 'list' | 'map' | 'any';
  /** What atomic lists and maps hold, for checks. */
  readonly items?: Shape | undefined;
  readonly struct?: StructShape | undefined;
}

/** An object with declared fields, each owned on its own. Fields are sorted by name. */
export interface StructShape {
  readonly kind: 'struct';
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  /** Undeclared fields are kept, and owned as their values suggest. */
  readonly keepsUnknown: boolean;
}

export interface Field {
  readonly name: string;
  /** `f:name`. */
  readonly element: string;
  /** A character's code that stands for the field in signatures. */
  readonly mark: number;
  readonly shape: Shape;
  /** False for fields that no one ever owns: metadata.name and its like. */
  readonly isOwned: boolean;
  /** True for names such as `constructor`, which objects seem to have when they have not. */
  readonly isInherited: boolean;
}

/** A map with free keys, each entry owned on its own. */
interface MapShape {
  readonly kind: 'map';
  readonly values: Shape;
}

/** A list whose items are identified by their value (`keys` empty) or by some of their fields. */
export interface ListShape {
  readonly kind: 'list';
  readonly items: Shape;
  /** Sorted by name. Empty for sets. */
  readonly keys: readonly string[];
  /** The keys in the order of their declaration, as messages show them. */
  readonly keysText: string;
  /** What keys are taken for where an item leaves them out. */
  readonly defaults: Readonly<Record<string, Json>>;
}

/** Free JSON: objects are owned entry by entry, lists whole. */
interface FreeShape {
  readonly kind: 'free';
}

export type Shape = LeafShape | StructShape | MapShape | ListShape | FreeShape;

/** Fields under metadata that no one owns (upstream's stripMeta). */
const unownedMeta: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** Values that upstream's types give to keys of list items when absent; published as defaults of the key's property. */
const keyDefaults: Readonly<Record<string, Json>> = { protocol: 'TCP' };
/** References to secrets may be empty. */
const referenceDefaults: Readonly<Record<string, Json>> = { name: '' };
const localReference = 'io.k8s.api.core.v1.LocalObjectReference';

/** Free JSON. */
export const freeShape: FreeShape = { kind: 'free' };

/** Apart from all that signatures are written with otherwise. */
const firstMark = 0x80;

/** Compiles the schema of a kind. */
export function compileShape(schema: ObjectSchema): StructShape {
  const known = new Map<Schema, Shape>();
  const root = compileStruct(schema, known);
  const fields = root.fields.map((field) => {
    if (field.name === 'apiVersion' || field.name === 'kind') return { ...field, isOwned: false };
    return field.name === 'metadata' && field.shape.kind === 'struct' ? { ...field, shape: metaShape(field.shape) } : field;
  });
  return { ...root, fields, byName: new Map(fields.map((field) => [field.name, field])) };
}

function metaShape(meta: StructShape): StructShape {
  const fields = meta.fields.map((field) => (unownedMeta.has(field.name) ? { ...field, isOwned: false } : field));
  return { ...meta, fields, byName: new Map(fields.map((field) => [field.name, field])) };
}

function compile(schema: Schema, known: Map<Schema, Shape>): Shape {
  const done = known.get(schema);
  if (done !== undefined) return done;
  const shape = compileNew(schema, known);
  known.set(schema, shape);
  return shape;
}

function compileNew(schema: Schema, known: Map<Schema, Shape>): Shape {
  switch (schema.type) {
    case 'object':
      return schema.mapType === 'atomic'
        ? { kind: 'leaf', type: 'map', struct: compileStruct(schema, known) }
        : compileStruct(schema, known);
    case 'map':
      return compileMap(schema, known);
    case 'array':
      return { kind: 'leaf', type: 'list', items: compile(schema.items, known) };
    case 'string':
    case 'boolean':
      return { kind: 'leaf', type: schema.type };
    case 'integer':
    case 'number':
      return { kind: 'leaf', type: 'number' };
    case 'quantity':
    case 'int-or-string':
      return { kind: 'leaf', type: 'scalar' };
    case 'time':
    case 'micro-time':
      return { kind: 'leaf', type: 'string' };
    case 'fields-v1':
      return { kind: 'leaf', type: 'any' };
    case 'any':
    case 'raw':
      return freeShape;
  }
}

function compileMap(schema: MapSchema, known: Map<Schema, Shape>): Shape {
  const values = compile(schema.values, known);
  return schema.mapType === 'atomic' ? { kind: 'leaf', type: 'map', items: values } : { kind: 'map', values };
}

/** Struct types may contain themselves, so the shape is known before its fields are. */
function compileStruct(schema: ObjectSchema, known: Map<Schema, Shape>): StructShape {
  const fields: Field[] = [];
  const byName = new Map<string, Field>();
  const struct: StructShape = { kind: 'struct', fields, byName, keepsUnknown: schema.preserveUnknown === true };
  if (schema.mapType !== 'atomic') known.set(schema, struct);
  for (const name of Object.keys(schema.properties).sort()) {
    const property = schema.properties[name] as Property;
    const shape = compileProperty(property, known);
    const mark = firstMark + fields.length;
    const field: Field = { name, element: `f:${name}`, mark, shape, isOwned: true, isInherited: name in Object.prototype };
    fields.push(field);
    byName.set(name, field);
  }
  return struct;
}

function compileProperty(property: Property, known: Map<Schema, Shape>): Shape {
  const { schema } = property;
  if (schema.type !== 'array') {
    const isPlain = property.mapType === undefined || (schema.type !== 'object' && schema.type !== 'map');
    return isPlain ? compile(schema, known) : compileNew({ ...schema, mapType: property.mapType }, known);
  }
  const { items } = schema;
  if (property.listType !== 'set' && property.listType !== 'map') return compile(schema, known);
  const declared = property.listType === 'map' ? (property.mapKeys ?? []) : [];
  return {
    kind: 'list',
    items: compile(items, known),
    keys: [...declared].sort(),
    keysText: `[${declared.map(goJsonString).join(' ')}]`,
    defaults: items.type === 'object' && items.name === localReference ? referenceDefaults : keyDefaults,
  };
}

/** The shape of a field by name; undefined where the struct knows no such field. */
export function fieldShape(shape: StructShape, name: string): Shape | undefined {
  return shape.byName.get(name)?.shape ?? (shape.keepsUnknown ? freeShape : undefined);
}

/** A declared field of a value. Names that every JavaScript object inherits need the careful way. */
export function readField(object: JsonObject, { name, isInherited }: Field): Json | undefined {
  return isInherited ? getOwn(object, name) : object[name];
}

/** How free JSON is seen, given a value. */
export function freeKind(value: Json | undefined): 'map' | 'leaf' {
  return isObject(value) ? 'map' : 'leaf';
}

/** An item's path element, or why it has none, in upstream's words. */
export function itemElement(shape: ListShape, item: Json): { element: string } | { problem: string } {
  return shape.keys.length === 0 ? valueElement(item) : keyElement(shape, item);
}

function valueElement(item: Json): { element: string } | { problem: string } {
  if (typeof item === 'string') return { element: `v:${goJsonString(item)}` };
  if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
  if (Array.isArray(item)) return { problem: 'not supported: associative list with lists as elements' };
  if (typeof item === 'object') return { problem: "associative list without keys has an element that's a map type" };
  return { element: `v:${item}` };
}

/** Keys that an item leaves out, and that have no default, are no part of its element; one at least has to be there. */
function keyElement(shape: ListShape, item: Json): { element: string } | { problem: string } {
  if (item === null) return { problem: 'associative list with keys may not have a null element' };
  if (!isObject(item)) return { problem: 'associative list with keys may not have non-map elements' };
  let text = '';
  for (const key of shape.keys) {
    const value = keyOf(shape, item, key);
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}"${key}":${typeof value === 'string' ? goJsonString(value) : goJson(value)}`;
  }
  if (text !== '') return { element: `k:{${text}}` };
  const why = `omits all key fields ${shape.keysText} (and doesn't have default values for any key fields)`;
  return { problem: `associative list with keys has an element that ${why}` };
}

function keyOf(shape: ListShape, item: JsonObject, key: string): Json | undefined {
  return getOwn(item, key) ?? getOwn(shape.defaults as JsonObject, key);
}

/** The order of two items of one list: that of their path elements. */
export function compareItems(shape: ListShape, left: Json, right: Json): number {
  if (shape.keys.length === 0) return compareValues(left, right);
  if (!isObject(left) || !isObject(right)) return 0;
  for (const key of shape.keys) {
    const [mine, theirs] = [keyOf(shape, left, key), keyOf(shape, right, key)];
    // Where one leaves a key out, names count, too.
    if (mine === undefined || theirs === undefined) return compareValues(keysOf(shape, left), keysOf(shape, right));
    const order = compareValues(mine, theirs);
    if (order !== 0) return order;
  }
  return 0;
}

function keysOf(shape: ListShape, item: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const key of shape.keys) {
    const value = keyOf(shape, item, key);
    if (value !== undefined) result[key] = value;
  }
  return result;
}
