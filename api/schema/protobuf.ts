// Bodies in Kubernetes' protobuf encoding, which kubectl and Go clients send: read into the JSON form, from where on they take the
// way of all others. Numbers that are not known are skipped, as every protobuf reader does.
import type { Json, JsonObject } from '#api/meta/object.ts';
import { protobufFields } from './facts-protobuf.ts';
import { NumberText } from './json-parser.ts';
import { ProtobufError, type WireField, wireFields } from './protobuf-wire.ts';
import type { ObjectSchema, Property, Schema } from './schema.ts';

/** What stands before every message: `k8s` and a zero. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const maxDepth = 100;

/** Where a field's value goes: a property of the object, or, for messages that JSON has no place for, the object itself. */
type Field =
  | { readonly name: string; readonly inlined: undefined }
  | { readonly name: ''; readonly inlined: readonly (Field | undefined)[] };

/** Reads messages; keeps what it has learnt about their types. */
export class ProtobufReader {
  readonly #tables = new Map<string, readonly (Field | undefined)[]>();

  /** The object in an envelope, with the kind that the envelope states. Throws ProtobufError. */
  read(bytes: Uint8Array, schema: ObjectSchema): JsonObject {
    if (!magic.equals(bytes.subarray(0, magic.length))) {
      throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
    }
    const identity: JsonObject = {};
    let raw: Uint8Array = new Uint8Array();
    for (const field of wireFields(bytes.subarray(magic.length))) {
      if (field.number === 2) raw = bytesOf(field);
      if (field.number !== 1) continue;
      for (const part of wireFields(bytesOf(field))) {
        if (part.number === 1) identity['apiVersion'] = textOf(part);
        if (part.number === 2) identity['kind'] = textOf(part);
      }
    }
    return { ...this.#object(raw, schema, 0), ...identity };
  }

  #object(bytes: Uint8Array, schema: ObjectSchema, depth: number): JsonObject {
    const into: JsonObject = {};
    this.#fill(into, { bytes, schema, table: this.#tableOf(schema.name ?? ''), depth });
    return into;
  }

  #fill(
    into: JsonObject,
    message: { bytes: Uint8Array; schema: ObjectSchema; table: readonly (Field | undefined)[]; depth: number },
  ): void {
    const { bytes, schema, table, depth } = message;
    if (depth > maxDepth) throw new ProtobufError('message is nested too deeply');
    for (const wire of wireFields(bytes)) {
      const field = table[wire.number];
      if (field === undefined) continue;
      if (field.inlined !== undefined) {
        this.#fill(into, { bytes: bytesOf(wire), schema, table: field.inlined, depth: depth + 1 });
        continue;
      }
      const property = Object.hasOwn(schema.properties, field.name) ? schema.properties[field.name] : undefined;
      if (property !== undefined) this.#set(into, field.name, property, wire, depth);
    }
  }

  #set(into: JsonObject, name: string, { schema }: Property, wire: WireField, depth: number): void {
    if (schema.type === 'array') {
      const list = (into[name] ??= []) as Json[];
      if (isPacked(schema.items, wire)) list.push(...packed(bytesOf(wire)));
      else list.push(this.#value(schema.items, wire, depth));
    } else if (schema.type === 'map') {
      const map = (into[name] ??= {}) as JsonObject;
      const [key, value] = this.#entry(schema.values, bytesOf(wire), depth);
      Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      into[name] = this.#value(schema, wire, depth);
    }
  }

  #entry(values: Schema, bytes: Uint8Array, depth: number): [string, Json] {
    let key = '';
    let value: Json | undefined;
    for (const wire of wireFields(bytes)) {
      if (wire.number === 1) key = textOf(wire);
      if (wire.number === 2)
        value = values.type === 'array' ? this.#wrappedList(values.items, bytesOf(wire), depth) : this.#value(values, wire, depth);
    }
    return [key, value ?? emptyOf(values)];
  }

  /** A list as the value of a map needs a message around it. */
  #wrappedList(items: Schema, bytes: Uint8Array, depth: number): Json[] {
    return [...wireFields(bytes)].filter(({ number }) => number === 1).map((wire) => this.#value(items, wire, depth));
  }

  #value(schema: Schema, wire: WireField, depth: number): Json {
    switch (schema.type) {
      case 'object':
        return this.#object(bytesOf(wire), schema, depth + 1);
      case 'string':
        return schema.format === 'byte' ? Buffer.from(bytesOf(wire)).toString('base64') : textOf(wire);
      case 'integer':
        return integerOf(wire);
      case 'number':
        return doubleOf(wire);
      case 'boolean':
        return varintOf(wire) !== 0n;
      case 'quantity':
        return textOf(partOf(wire, 1));
      case 'int-or-string':
        return varintOf(partOf(wire, 1, 0n)) === 0n ? integerOf(partOf(wire, 2, 0n)) : textOf(partOf(wire, 3));
      case 'time':
      case 'micro-time':
        return timeOf(wire, schema.type === 'micro-time');
      case 'any':
      case 'raw':
      case 'fields-v1':
        return jsonOf(partOf(wire, 1));
      case 'array':
      case 'map':
        throw new ProtobufError('a list of lists has no place in protobuf');
    }
  }

  #tableOf(definition: string): readonly (Field | undefined)[] {
    let table = this.#tables.get(definition);
    if (table === undefined) {
      const split = definition.lastIndexOf('.');
      table = readTable(definition.slice(0, split), definition.slice(split + 1));
      this.#tables.set(definition, table);
    }
    return table;
  }
}

function readTable(packageName: string, type: string): readonly (Field | undefined)[] {
  const text = protobufFields[packageName]?.[type];
  if (text === undefined) throw new ProtobufError(`${packageName}.${type} cannot be read from protobuf: send JSON`);
  const table: (Field | undefined)[] = [];
  let number = 0;
  for (const token of text.split(' ')) {
    const [word = '', at] = token.split('=');
    number = at === undefined ? number + 1 : Number(at);
    if (word === '-') continue;
    table[number] = word.startsWith('+')
      ? { name: '', inlined: readTable(packageName, word.slice(1)) }
      : { name: word, inlined: undefined };
  }
  return table;
}

/** A field inside the message that `wire` holds; where it is absent, an empty one. */
function partOf(wire: WireField, number: number, otherwise: WireField['value'] = new Uint8Array()): WireField {
  let found: WireField = { number, value: otherwise, isFixed: false };
  for (const part of wireFields(bytesOf(wire))) if (part.number === number) found = part;
  return found;
}

function bytesOf({ number, value, isFixed }: WireField): Uint8Array {
  if (typeof value === 'bigint' || isFixed) throw new ProtobufError(`proto: wrong wireType for field ${number}`);
  return value;
}

function varintOf({ number, value }: WireField): bigint {
  if (typeof value !== 'bigint') throw new ProtobufError(`proto: wrong wireType for field ${number}`);
  return value;
}

function textOf(wire: WireField): string {
  return Buffer.from(bytesOf(wire)).toString();
}

function integerOf(wire: WireField): Json {
  const value = BigInt.asIntN(64, varintOf(wire));
  return Number.isSafeInteger(Number(value)) ? Number(value) : (new NumberText(String(value)) as unknown as Json);
}

function doubleOf({ number, value, isFixed }: WireField): number {
  if (typeof value === 'bigint' || !isFixed || value.length !== 8) throw new ProtobufError(`proto: wrong wireType for field ${number}`);
  return new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true);
}

/** A time, null for Go's zero one. */
function timeOf(wire: WireField, isMicro: boolean): string | null {
  const seconds = BigInt.asIntN(64, varintOf(partOf(wire, 1, 0n)));
  const nanos = BigInt.asIntN(64, varintOf(partOf(wire, 2, 0n)));
  if (seconds === 0n && nanos === 0n) return null;
  const ms = Number(seconds) * 1_000;
  if (Number.isNaN(new Date(ms).getTime())) throw new ProtobufError('a time is out of range');
  const text = new Date(ms).toISOString().slice(0, 19);
  return isMicro ? `${text}.${String(nanos / 1_000n).padStart(6, '0')}Z` : `${text}Z`;
}

function jsonOf(wire: WireField): Json {
  const text = textOf(wire);
  if (text === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new ProtobufError('an embedded object is no JSON', { cause: error });
  }
}

function isPacked(items: Schema, { value, isFixed }: WireField): boolean {
  return (items.type === 'integer' || items.type === 'boolean') && typeof value !== 'bigint' && !isFixed;
}

function packed(bytes: Uint8Array): Json[] {
  // A packed list is varints one after the other: the same as fields without tags, so each gets one.
  const values: Json[] = [];
  let from = 0;
  bytes.forEach((byte, at) => {
    if (byte >= 0x80) return;
    const one = Uint8Array.of(0x08, ...bytes.subarray(from, at + 1));
    for (const wire of wireFields(one)) values.push(integerOf(wire));
    from = at + 1;
  });
  return values;
}

function emptyOf(schema: Schema): Json {
  if (schema.type === 'string') return '';
  return schema.type === 'object' || schema.type === 'map' ? {} : null;
}
