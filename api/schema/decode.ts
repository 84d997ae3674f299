// Strict decoding by schema: wrong types refused, unknown and repeated fields found, everything brought into the form in which Go
// would write it back. What comes out is both the object in memory and, through JSON.stringify, the object on the wire:
//   - no null but inside values without a schema and for times that Go holds by value: all else that is missing is missing;
//   - quantities, times, bytes canonical;
//   - empty strings, lists, maps, zeros and falses left out where Go's type has omitempty and no pointer (Property.presence `drop`);
//   - what Go always writes is there, empty where the client sent nothing (`fill`): metadata, spec, status, resources, names.
//
// How it works: every struct is compiled once, into a map from field name to decoder. Decoding walks the input's own keys and
// changes values in place; an object is built anew only when something falls out of it. A type that holds itself waits in a queue
// instead of recursing, so the stack never depends on the input.
import type { Json } from '#api/meta/object.ts';
import { type Decode, leafDecoder, leafTypeName, plainValue } from './decode-leaf.ts';
import { DecodeError, DecodeState, type Step } from './decode-state.ts';
import type { Duplicates, ParsedJson } from './json.ts';
import { NumberText } from './json-parser.ts';
import { readAgain } from './repeated-keys.ts';
import type { ObjectSchema, Presence, Schema } from './schema.ts';

interface Decoded {
  readonly value: { [key: string]: Json };
  /** `unknown field "spec.foo"`, `duplicate field "spec.replicas"`: upstream's words, at most 100, each once. */
  readonly problems: readonly string[];
}

/** Decodes one value by one schema. Keeps the value and changes it in place. Throws DecodeError for wrong types. */
export type Decoder = (parsed: ParsedJson) => Decoded;

interface Field {
  readonly decode: Decode;
  readonly schema: Schema;
  readonly step: Step;
  readonly presence: Presence;
}

interface Struct {
  readonly goName: string;
  readonly goType: string;
  readonly fields: Map<string, Field>;
  readonly fills: [name: string, empty: () => Json][];
  readonly preservesUnknown: boolean;
}

type JsonMap = { [key: string]: Json };
type Members = NonNullable<ReturnType<Duplicates['get']>>;

/** Compiles decoders, sharing what types share. */
export class DecoderCompiler {
  readonly #structs = new Map<ObjectSchema, Struct>();
  /** Those that hold themselves while being compiled. */
  readonly #open = new Set<ObjectSchema>();

  compile(schema: ObjectSchema): Decoder {
    const struct = this.#struct(schema);
    return (parsed) => {
      const state = new DecodeState(parsed);
      const value = decodeStruct(struct, parsed.value, state);
      for (const task of state.waiting) {
        state.enter(task.place);
        const done = task.decode(task.value, state);
        if (done !== undefined && done !== task.value) replaceContent(task.value, done as JsonMap);
      }
      if (state.mismatch !== undefined) throw new DecodeError(state.mismatch);
      return { value: (value ?? {}) as JsonMap, problems: state.problems };
    };
  }

  #struct(schema: ObjectSchema): Struct {
    const known = this.#structs.get(schema);
    if (known !== undefined) return known;
    const struct: Struct = {
      goName: schema.name?.split('.').at(-1) ?? '',
      goType: goTypeOf(schema),
      fields: new Map(),
      fills: [],
      preservesUnknown: schema.preserveUnknown === true,
    };
    this.#structs.set(schema, struct);
    this.#open.add(schema);
    for (const [name, property] of Object.entries(schema.properties)) {
      const presence = property.presence ?? 'keep';
      const step = property.embeddedIn === undefined ? name : { name, inside: property.embeddedIn };
      struct.fields.set(name, { decode: this.#decode(property.schema), schema: property.schema, step, presence });
      if (presence === 'fill') {
        const empty = this.#empty(property.schema);
        if (empty !== undefined) struct.fills.push([name, empty]);
      }
    }
    this.#open.delete(schema);
    return struct;
  }

  #decode(schema: Schema): Decode {
    switch (schema.type) {
      case 'object': {
        const isRecursive = this.#open.has(schema);
        const struct = this.#struct(schema);
        return isRecursive ? waitingDecoder(struct) : (value, state) => decodeStruct(struct, value, state);
      }
      case 'array': {
        const items = this.#decode(schema.items);
        const empty = this.#empty(schema.items);
        const goType = goTypeOf(schema);
        return (value, state) => (Array.isArray(value) ? decodeItems(items, empty, value, state) : state.mismatched(value, goType));
      }
      case 'map': {
        const values = this.#decode(schema.values);
        const empty = this.#empty(schema.values);
        const goType = goTypeOf(schema);
        return (value, state) => (isMap(value) ? decodeEntries(values, empty, value, state) : state.mismatched(value, goType));
      }
      default:
        return leafDecoder(schema);
    }
  }

  /** Makes what Go has where nothing was sent; undefined for types that are never held by value. */
  #empty(schema: Schema): (() => Json) | undefined {
    switch (schema.type) {
      case 'object': {
        const struct = this.#struct(schema);
        return () => filled(struct, {});
      }
      case 'array':
        return () => [];
      case 'map':
        return () => ({});
      case 'string':
        return () => '';
      case 'integer':
      case 'number':
      case 'int-or-string':
        return () => 0;
      case 'boolean':
        return () => false;
      case 'quantity':
        return () => '0';
      case 'time':
      case 'micro-time':
        return () => null;
      case 'any':
      case 'raw':
      case 'fields-v1':
        return undefined;
    }
  }
}

function decodeStruct(struct: Struct, value: Json, state: DecodeState): Json | undefined {
  if (!isMap(value)) return state.mismatched(value, struct.goType);
  let dropped: Set<string> | undefined;
  state.structs.push(struct.goName);
  const members = state.duplicates?.get(value);
  if (members !== undefined) dropped = decodeRepeated(struct, value, members, state);
  else for (const key in value) if (!decodeField(struct, value, key, state)) (dropped ??= new Set()).add(key);
  state.structs.pop();
  return filled(struct, dropped === undefined ? value : without(value, dropped));
}

/** Decodes one member in place; false where nothing is left of it. */
function decodeField(struct: Struct, value: JsonMap, key: string, state: DecodeState): boolean {
  const field = struct.fields.get(key);
  if (field === undefined) {
    if (!struct.preservesUnknown) {
      state.unknown(key);
      return false;
    }
    if (state.hasNumberTexts) value[key] = plainValue(value[key] ?? null);
    return true;
  }
  const before = value[key] ?? null;
  state.steps.push(field.step);
  const after = before === null ? undefined : field.decode(before, state);
  state.steps.pop();
  if (after === undefined || (field.presence === 'drop' && isEmpty(after))) return false;
  if (after !== before) value[key] = after;
  return true;
}

/** Every value that came for a key is judged; what stays is the later one, read into what the earlier one left. */
function decodeRepeated(struct: Struct, value: JsonMap, members: Members, state: DecodeState): Set<string> {
  const dropped = new Set<string>();
  const seen = new Set<string>();
  const whole = readTogether(struct, members, state);
  const decode = (key: string): void => {
    if (decodeField(struct, value, key, state)) dropped.delete(key);
    else dropped.add(key);
  };
  for (const [key, member] of members) {
    if (seen.has(key) && struct.fields.has(key)) state.duplicate(key);
    seen.add(key);
    value[key] = member;
    decode(key);
  }
  for (const [key, together] of whole) {
    value[key] = together;
    decode(key);
  }
  return dropped;
}

/** What Go would have read of the keys that come more than once; nothing of what was sent is changed. */
function readTogether({ fields }: Struct, members: Members, { duplicates }: DecodeState): Map<string, Json> {
  const counts = new Map<string, number>();
  for (const [key] of members) counts.set(key, (counts.get(key) ?? 0) + 1);
  const whole = new Map<string, Json>();
  for (const [key, member] of members) {
    const field = fields.get(key);
    if (field === undefined || duplicates === undefined || counts.get(key) === 1) continue;
    whole.set(key, readAgain(whole.get(key), member, { schema: field.schema, presence: field.presence, duplicates }));
  }
  return whole;
}

function filled(struct: Struct, value: JsonMap): JsonMap {
  for (const [name, empty] of struct.fills) if (value[name] === undefined) value[name] = empty();
  return value;
}

function waitingDecoder(struct: Struct): Decode {
  const decode: Decode = (value, state) => decodeStruct(struct, value, state);
  return (value, state) => {
    if (!isMap(value)) return state.mismatched(value, struct.goType);
    state.waiting.push({ decode, value, place: state.place() });
    return value;
  };
}

function decodeItems(decode: Decode, empty: (() => Json) | undefined, items: Json[], state: DecodeState): Json[] {
  for (let index = 0; index < items.length; index++) {
    const before = items[index] ?? null;
    state.steps.push(index);
    const after = before === null ? undefined : decode(before, state);
    state.steps.pop();
    if (after === undefined) items[index] = empty?.() ?? null;
    else if (after !== before) items[index] = after;
  }
  return items;
}

function decodeEntries(decode: Decode, empty: (() => Json) | undefined, map: JsonMap, state: DecodeState): JsonMap {
  const members = state.duplicates?.get(map);
  if (members === undefined) {
    for (const key in map) decodeEntry(decode, empty, map, key, state);
    return map;
  }
  const seen = new Set<string>();
  for (const [key, member] of members) {
    if (seen.has(key)) state.duplicate(key);
    seen.add(key);
    map[key] = member;
    decodeEntry(decode, empty, map, key, state);
  }
  return map;
}

function decodeEntry(decode: Decode, empty: (() => Json) | undefined, map: JsonMap, key: string, state: DecodeState): void {
  const before = map[key] ?? null;
  state.steps.push([key]);
  const after = before === null ? undefined : decode(before, state);
  state.steps.pop();
  if (after === undefined) map[key] = empty?.() ?? null;
  else if (after !== before) map[key] = after;
}

function isMap(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

function isEmpty(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function without(value: JsonMap, dropped: ReadonlySet<string>): JsonMap {
  const kept: JsonMap = {};
  for (const key in value) {
    if (dropped.has(key)) continue;
    // Fields are assigned; a key that came through preserveUnknown may have any name.
    if (key === '__proto__') Object.defineProperty(kept, key, { value: value[key], writable: true, enumerable: true, configurable: true });
    else kept[key] = value[key] as Json;
  }
  return kept;
}

function replaceContent(target: JsonMap, source: JsonMap): void {
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, source);
}

function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      return schema.name?.split('.').slice(-2).join('.') ?? 'map[string]interface {}';
    case 'array':
      return schema.typeName ?? `[]${goTypeOf(schema.items)}`;
    case 'map':
      if (schema.values.type === 'quantity' && schema.keyName === undefined) return 'v1.ResourceList';
      return `map[${schema.keyName ?? 'string'}]${goTypeOf(schema.values)}`;
    default:
      return leafTypeName(schema);
  }
}
