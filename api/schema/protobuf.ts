// Bodies in Kubernetes' protobuf encoding, which kubectl and Go clients send: read into the JSON form, from where on they take the
// way of all others. Numbers that are not known are skipped, as every protobuf reader does.
import type { Json, JsonObject } from '#api/meta/object.ts';
import { maxBodyValues, tooManyValues } from './body-limits.ts';
import { JsonError, parseJsonBody } from './json.ts';
import { NumberText } from './json-parser.ts';
import { numberedFields, type NumberedField } from './protobuf-fields.ts';
import { eitherTypes } from './protobuf-leaf.ts';
import { magic, ProtobufCursor, ProtobufError } from './protobuf-wire.ts';
import type { ObjectSchema, Schema, SpecialSchema } from './schema.ts';
import type { SchemaSet } from './schemas.ts';

/** Types hold themselves only in schemas of custom resources. */
const maxDepth = 500;

/** Where a field's value goes: a property of the object, or, for messages that JSON has no place for, the object itself. */
type Place =
  | {
      readonly name: string;
      readonly schema: Schema;
      readonly isWrapped: boolean;
      readonly dropsEmpty: boolean;
      readonly inlined: undefined;
    }
  | { readonly name: ''; readonly inlined: Places };
type Places = readonly (Place | undefined)[];

/** Decodes messages; caches what it derives from their types. */
export class ProtobufReader {
  readonly #schemas: SchemaSet;
  readonly #places = new Map<ObjectSchema, Places>();
  readonly #maxValues: number;
  /** How many values the present message may still have. */
  #valuesLeft = 0;

  constructor(schemas: SchemaSet, maxValues: number = maxBodyValues) {
    this.#schemas = schemas;
    this.#maxValues = maxValues;
  }

  /** The object in an envelope, with the kind that the envelope states. Throws ProtobufError, and ApiError RequestEntityTooLarge for too many values. */
  read(bytes: Uint8Array, schema: ObjectSchema): JsonObject {
    if (!magic.equals(bytes.subarray(0, magic.length))) {
      throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
    }
    const identity: JsonObject = {};
    let raw = new ProtobufCursor(noBytes);
    const envelope = new ProtobufCursor(bytes, magic.length);
    while (envelope.next()) {
      if (envelope.number === 2) raw = envelope.message();
      else if (envelope.number === 1) readTypeMeta(envelope.message(), identity);
      else envelope.skip();
    }
    const object: JsonObject = {};
    this.#valuesLeft = this.#maxValues;
    this.#fill(object, raw, this.#placesOf(schema), 0);
    return { ...object, ...identity };
  }

  #fill(into: JsonObject, message: ProtobufCursor, places: Places, depth: number): void {
    if (depth > maxDepth) throw new ProtobufError('message is nested too deeply');
    while (message.next()) {
      const place = message.number < places.length ? places[message.number] : undefined;
      if (place === undefined) message.skip();
      else if (place.inlined !== undefined) this.#fill(into, message.message(), place.inlined, depth + 1);
      else this.#set(into, place, message, depth);
    }
  }

  #set(into: JsonObject, place: Extract<Place, { inlined: undefined }>, wire: ProtobufCursor, depth: number): void {
    const { name, schema, isWrapped } = place;
    this.#count();
    if (schema.type === 'array') {
      const list = (into[name] ??= []) as Json[];
      if (isWrapped) this.#wrappedList(list, schema.items, wire.message(), depth);
      else if (isPackable(schema.items) && wire.isDelimited) readPacked(list, schema.items, wire.message());
      else list.push(this.#value(schema.items, wire, depth));
    } else if (schema.type === 'map') {
      const map = (into[name] ??= {}) as JsonObject;
      const [key, value] = this.#entry(schema.values, wire.message(), depth);
      if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
      else map[key] = value;
    } else if (schema.type === 'object') {
      // A message that comes twice is merged, as everywhere in protobuf.
      const object = (into[name] ??= {}) as JsonObject;
      this.#fill(object, wire.message(), this.#placesOf(schema), depth + 1);
    } else {
      const value = this.#value(schema, wire, depth);
      // Go writes empty values where JSON has none. The decoder would drop them, but does not look into schemas in schemas.
      if (!place.dropsEmpty || (value !== '' && value !== 0 && value !== false)) into[name] = value;
      else delete into[name];
    }
  }

  #count(): void {
    if (--this.#valuesLeft < 0) throw tooManyValues(this.#maxValues);
  }

  #entry(values: Schema, entry: ProtobufCursor, depth: number): [string, Json] {
    let key = '';
    let value: Json | undefined;
    while (entry.next()) {
      if (entry.number === 1) key = entry.text();
      else if (entry.number !== 2) entry.skip();
      else if (values.type === 'array') value = this.#wrappedList([], values.items, entry.message(), depth);
      else value = this.#value(values, entry, depth);
    }
    return [key, value === undefined ? emptyOf(values) : value];
  }

  /** A list that has a message of its own around it. */
  #wrappedList(list: Json[], items: Schema, message: ProtobufCursor, depth: number): Json[] {
    while (message.next()) {
      this.#count();
      if (message.number === 1) list.push(this.#value(items, message, depth));
      else message.skip();
    }
    return list;
  }

  #value(schema: Schema, wire: ProtobufCursor, depth: number): Json {
    switch (schema.type) {
      case 'object': {
        const object: JsonObject = {};
        this.#fill(object, wire.message(), this.#placesOf(schema), depth + 1);
        return object;
      }
      case 'string':
        return schema.format === 'byte' ? wire.bytes().toString('base64') : wire.text();
      case 'integer':
        return integerOf(wire.varint(), schema.format);
      case 'number':
        return wire.double();
      case 'boolean':
        return wire.varint() !== 0n;
      case 'quantity':
        return quantityOf(wire.message());
      case 'int-or-string':
        return intOrStringOf(wire.message());
      case 'time':
      case 'micro-time':
        return timeOf(wire.message(), schema.type === 'micro-time');
      case 'any':
      case 'raw':
      case 'fields-v1':
        return this.#any(schema, wire.message(), depth);
      case 'array':
      case 'map':
        throw new ProtobufError('a list of lists has no place in protobuf');
    }
  }

  /** JSON in a message; and what JSON shows as one of several things. */
  #any({ name = '' }: SpecialSchema, message: ProtobufCursor, depth: number): Json {
    const either = Object.hasOwn(eitherTypes, name) ? eitherTypes[name] : undefined;
    let value: Json = null;
    while (message.next()) {
      const { number } = message;
      if (either === undefined && number === 1) value = jsonOf(message.bytes());
      else if (number === either?.schema) value = this.#value(this.#schemaProps(), message, depth);
      else if (number === either?.boolean) value = message.varint() !== 0n;
      else if (number === either?.list) {
        if (!Array.isArray(value)) value = [];
        value.push(name.endsWith('StringArray') ? message.text() : this.#value(this.#schemaProps(), message, depth));
      } else message.skip();
    }
    return value;
  }

  #schemaProps(): ObjectSchema {
    return this.#schemas.get('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
  }

  #placesOf(schema: ObjectSchema): Places {
    const known = this.#places.get(schema);
    if (known !== undefined) return known;
    const fields = numberedFields(schema);
    if (fields === undefined) throw new ProtobufError(`${schema.name ?? 'this type'} cannot be read from protobuf: send JSON`);
    const places = placesOf(schema, fields);
    this.#places.set(schema, places);
    return places;
  }
}

const noBytes = new Uint8Array();

function placesOf(schema: ObjectSchema, fields: readonly NumberedField[]): Places {
  const places: (Place | undefined)[] = [];
  for (const { number, name, inlined, isWrapped } of fields) {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (inlined !== undefined) places[number] = { name: '', inlined: placesOf(schema, inlined) };
    else if (property !== undefined) {
      const { schema: type, presence } = property;
      places[number] = { name, schema: type, isWrapped, dropsEmpty: presence === 'drop', inlined: undefined };
    }
  }
  return places;
}

function readTypeMeta(message: ProtobufCursor, identity: JsonObject): void {
  while (message.next()) {
    if (message.number === 1) identity['apiVersion'] = message.text();
    else if (message.number === 2) identity['kind'] = message.text();
    else message.skip();
  }
}

function isPackable(items: Schema): boolean {
  return items.type === 'integer' || items.type === 'boolean';
}

function readPacked(list: Json[], items: Schema, values: ProtobufCursor): void {
  while (values.hasMore) {
    const value = values.packedVarint();
    list.push(items.type === 'boolean' ? value !== 0n : integerOf(value, items.type === 'integer' ? items.format : undefined));
  }
}

/** Go keeps the lower half of what does not fit an int32. */
function integerOf(varint: bigint, format: string | undefined): Json {
  const value = BigInt.asIntN(format === 'int32' ? 32 : 64, varint);
  return Number.isSafeInteger(Number(value)) ? Number(value) : (new NumberText(String(value)) as unknown as Json);
}

function quantityOf(message: ProtobufCursor): string {
  let text = '';
  while (message.next()) {
    if (message.number === 1) text = message.text();
    else message.skip();
  }
  return text === '' ? '0' : text;
}

function intOrStringOf(message: ProtobufCursor): Json {
  let type = 0n;
  let number = 0n;
  let text = '';
  while (message.next()) {
    if (message.number === 1) type = message.varint();
    else if (message.number === 2) number = message.varint();
    else if (message.number === 3) text = message.text();
    else message.skip();
  }
  return type === 0n ? integerOf(number, 'int32') : text;
}

/** A time, null for Go's zero one. */
function timeOf(message: ProtobufCursor, isMicro: boolean): string | null {
  let seconds = 0n;
  let nanos = 0n;
  let isEmpty = true;
  while (message.next()) {
    isEmpty = false;
    if (message.number === 1) seconds = BigInt.asIntN(64, message.varint());
    else if (message.number === 2) nanos = BigInt.asIntN(32, message.varint());
    else message.skip();
  }
  if (isEmpty) return null;
  const time = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() < 0 || time.getUTCFullYear() > 9_999 || nanos < 0n || nanos >= 1_000_000_000n) {
    throw new ProtobufError('a time is out of range');
  }
  const text = time.toISOString().slice(0, 19);
  return isMicro ? `${text}.${String(nanos / 1_000n).padStart(6, '0')}Z` : `${text}Z`;
}

function jsonOf(bytes: Uint8Array): Json {
  if (bytes.length === 0) return null;
  try {
    return parseJsonBody(bytes).value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ProtobufError(`an embedded object is no JSON: ${error.message}`, { cause: error });
  }
}

function emptyOf(schema: Schema): Json {
  switch (schema.type) {
    case 'string':
      return '';
    case 'object':
    case 'map':
      return {};
    case 'array':
      return [];
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    default:
      return null;
  }
}
