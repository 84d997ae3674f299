// Objects in Kubernetes' protobuf encoding, byte for byte as upstream writes them: what Go holds by value is always there, what it
// holds by pointer only where JSON has it; keys of maps are sorted.
//
// How it works: a type is compiled once, into a list of functions that write a field each, the last one first (ProtobufSink says why).
import { apiVersionOf, type Json, type JsonObject } from '#api/meta/object.ts';
import { numberedFields, type NumberedField } from './protobuf-fields.ts';
import { ProtobufSink } from './protobuf-sink.ts';
import { magic, ProtobufError } from './protobuf-wire.ts';
import { type LeafWriter, leafWriter, zeroOf } from './protobuf-leaf.ts';
import type { ObjectSchema, Schema } from './schema.ts';
import type { GroupVersionKind, SchemaSet } from './schemas.ts';

/** Writes what of an object belongs to one field, with its tag; nothing where there is nothing. */
type FieldWriter = (sink: ProtobufSink, object: JsonObject) => void;
/** Writes a value with its length but without a tag. */
type ValueWriter = LeafWriter;

/** Types hold themselves only in schemas of custom resources; deeper ones cannot be written. */
const maxDepth = 500;

/** Writes objects of the types in `schemas`; keeps what it has compiled. */
export class ProtobufEncoder {
  readonly #schemas: SchemaSet;
  readonly #messages = new Map<ObjectSchema, FieldWriter[]>();
  readonly #known = new Map<string, boolean>();
  readonly #named = new Map<string, { readonly kind: GroupVersionKind; readonly definition: string }>();
  readonly #sink = new ProtobufSink();
  #partial: ObjectSchema | undefined;
  #depth = 0;

  constructor(schemas: SchemaSet) {
    this.#schemas = schemas;
  }

  /** Whether upstream has a protobuf form of this definition. */
  knows(definition: string): boolean {
    let known = this.#known.get(definition);
    if (known === undefined) {
      known = this.#schemas.has(definition) && numberedFields(this.#schemas.get(definition)) !== undefined;
      this.#known.set(definition, known);
    }
    return known;
  }

  /** An object in its envelope, by the kind that it says it is (of v1, where it says no version); undefined for kinds without protobuf form. */
  object(object: { readonly apiVersion?: unknown; readonly kind?: unknown }): Buffer<ArrayBuffer> | undefined {
    const { apiVersion = 'v1' } = object;
    const name = `${String(apiVersion)}, ${String(object.kind)}`;
    let named = this.#named.get(name);
    if (named === undefined) {
      const [version = '', group = ''] = String(apiVersion).split('/').reverse();
      const kind = { group, version, kind: String(object.kind) };
      const definition = partialDefinition(kind) ?? this.#schemas.find(kind) ?? '';
      named = { kind, definition };
      if (this.#named.size < maxNamed) this.#named.set(name, named);
    }
    const { kind, definition } = named;
    return isPartial(definition) || this.knows(definition) ? this.envelope(kind, definition, object) : undefined;
  }

  /** What stands before and behind a message of so many bytes to put it into an envelope. */
  around(kind: GroupVersionKind, length: number): { readonly head: Buffer<ArrayBuffer>; readonly tail: Buffer<ArrayBuffer> } {
    const sink = this.#sink;
    sink.varint(length);
    sink.varint(0x12);
    writeTypeMeta(sink, kind);
    return { head: sink.take(), tail: Buffer.from([0x1a, 0, 0x22, 0]) };
  }

  /** The object's message as a field of another one, with tag and length: an item of a list. */
  element(field: number, definition: string, object: object): Buffer<ArrayBuffer> {
    const write = this.#compiled(this.#schemaOf(definition));
    return this.#taking(() => {
      writeFields(write, this.#sink, object as JsonObject);
      this.#sink.length(0);
      this.#sink.varint(field * 8 + 2);
    });
  }

  /** A WatchEvent around an object in its envelope. */
  watchEvent(type: string, envelope: Uint8Array): Buffer<ArrayBuffer> {
    const sink = this.#sink;
    sink.bytes(envelope);
    sink.varint(0x0a);
    sink.length(0);
    sink.varint(0x12);
    sink.text(type);
    sink.varint(0x0a);
    return sink.take();
  }

  /** The object's message alone. Throws ProtobufError for types without protobuf form. */
  message(definition: string, object: object): Buffer<ArrayBuffer> {
    const write = this.#compiled(this.#schemaOf(definition));
    return this.#taking(() => writeFields(write, this.#sink, object as JsonObject));
  }

  /** The object in its envelope, as bodies and answers carry it; of a definition, or of a schema of the caller's that stays the same. */
  envelope(kind: GroupVersionKind, definition: string | ObjectSchema, object: object): Buffer<ArrayBuffer> {
    const write = this.#compiled(typeof definition === 'string' ? this.#schemaOf(definition) : definition);
    return this.#taking(() => {
      const sink = this.#sink;
      sink.bytes(noBytes);
      sink.varint(0x22);
      sink.bytes(noBytes);
      sink.varint(0x1a);
      const mark = sink.written;
      writeFields(write, sink, object as JsonObject);
      sink.length(mark);
      sink.varint(0x12);
      writeTypeMeta(sink, kind);
    });
  }

  #schemaOf(definition: string): ObjectSchema {
    if (!isPartial(definition)) return this.#schemas.get(definition);
    this.#partial ??= {
      type: 'object',
      name: partialObjectMetadata,
      properties: { metadata: { schema: this.#schemas.get(objectMeta), presence: 'fill' } },
      required: [],
    };
    return this.#partial;
  }

  #taking(write: () => void): Buffer<ArrayBuffer> {
    try {
      write();
      return this.#sink.take();
    } catch (error) {
      this.#sink.clear();
      this.#depth = 0;
      throw error;
    }
  }

  #compiled(schema: ObjectSchema): FieldWriter[] {
    const known = this.#messages.get(schema);
    if (known !== undefined) return known;
    const fields = numberedFields(schema);
    if (fields === undefined) throw new ProtobufError(`${schema.name ?? 'this type'} has no protobuf form`);
    const writers: FieldWriter[] = [];
    // Known before it is complete, since types may hold themselves.
    this.#messages.set(schema, writers);
    writers.push(...this.#fields(schema, fields));
    return writers;
  }

  #fields(schema: ObjectSchema, fields: readonly NumberedField[]): FieldWriter[] {
    return fields.flatMap((field) => this.#field(schema, field) ?? []).reverse();
  }

  #field(schema: ObjectSchema, { number, name, inlined, isWrapped, isAlways }: NumberedField): FieldWriter | undefined {
    if (inlined !== undefined) return inlinedField(number, this.#fields(schema, inlined));
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (property === undefined) return undefined;
    const type = property.schema;
    if (type.type === 'array') return listField(number, name, this.#value(type.items), isWrapped);
    if (type.type === 'map') return this.#mapField(number, name, type.values);
    const isValue = isAlways || ((property.presence ?? 'keep') !== 'keep' && !(type.type === 'string' && type.format === 'byte'));
    return oneField(number, name, this.#value(type), isValue ? zeroOf(type) : undefined);
  }

  #mapField(number: number, name: string, values: Schema): FieldWriter {
    const write = values.type === 'array' ? wrapped(this.#value(values.items)) : this.#value(values);
    const tag = number * 8 + 2;
    return (sink, object) => {
      const map = object[name] as JsonObject | null | undefined;
      if (map === undefined || map === null) return;
      const keys = Object.keys(map).sort();
      for (let at = keys.length - 1; at >= 0; at--) {
        const key = keys[at] as string;
        const mark = sink.written;
        write.write(sink, map[key] ?? null);
        sink.varint(0x10 + write.wireType);
        sink.text(key);
        sink.varint(0x0a);
        sink.length(mark);
        sink.varint(tag);
      }
    };
  }

  #value(schema: Schema): ValueWriter {
    if (schema.type !== 'object') return leafWriter(schema, () => this.#compiledSchemaProps());
    const fields = this.#compiled(schema);
    return { wireType: 2, write: (sink, value) => this.#nested(sink, fields, (value ?? {}) as JsonObject) };
  }

  #compiledSchemaProps(): ValueWriter {
    return this.#value(this.#schemas.get('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'));
  }

  #nested(sink: ProtobufSink, fields: readonly FieldWriter[], object: JsonObject): void {
    if (++this.#depth > maxDepth) throw new ProtobufError('the object is nested too deeply for protobuf');
    const mark = sink.written;
    writeFields(fields, sink, object);
    sink.length(mark);
    this.#depth--;
  }
}

const noBytes = new Uint8Array();
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** An object of any kind reduced to its metadata; both versions are alike. */
export const partialObjectMetadata = 'io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata';
/** Kinds are few, but objects may say anything. */
const maxNamed = 1_000;

function isPartial(definition: string): boolean {
  return definition === partialObjectMetadata;
}

function partialDefinition({ group, kind }: GroupVersionKind): string | undefined {
  return group === 'meta.k8s.io' && kind === 'PartialObjectMetadata' ? partialObjectMetadata : undefined;
}

function writeFields(fields: readonly FieldWriter[], sink: ProtobufSink, object: JsonObject): void {
  for (const write of fields) write(sink, object);
}

/** The envelope's first field, and what stands before everything. */
function writeTypeMeta(sink: ProtobufSink, kind: GroupVersionKind): void {
  const mark = sink.written;
  sink.text(kind.kind);
  sink.varint(0x12);
  sink.text(apiVersionOf(kind));
  sink.varint(0x0a);
  sink.length(mark);
  sink.varint(0x0a);
  for (const byte of [...magic].reverse()) sink.varint(byte);
}

function oneField(number: number, name: string, { wireType, write }: ValueWriter, zero: { readonly value: Json } | undefined): FieldWriter {
  const tag = number * 8 + wireType;
  return (sink, object) => {
    const value = object[name] ?? zero?.value;
    // Times held by value are empty messages; null stands for them.
    if (value === undefined || (value === null && zero === undefined)) return;
    write(sink, value);
    sink.varint(tag);
  };
}

function listField(number: number, name: string, items: ValueWriter, isWrapped: boolean): FieldWriter {
  if (isWrapped) return oneField(number, name, wrapped(items), undefined);
  const { wireType, write } = items;
  const tag = number * 8 + wireType;
  return (sink, object) => {
    const list = object[name] as readonly Json[] | null | undefined;
    if (list === undefined || list === null) return;
    for (let at = list.length - 1; at >= 0; at--) {
      write(sink, list[at] ?? null);
      sink.varint(tag);
    }
  };
}

function inlinedField(number: number, fields: readonly FieldWriter[]): FieldWriter {
  const tag = number * 8 + 2;
  return (sink, object) => {
    const mark = sink.written;
    writeFields(fields, sink, object);
    sink.length(mark);
    sink.varint(tag);
  };
}

/** A list in a message of its own: maps and pointers can hold no other. */
function wrapped({ wireType, write }: ValueWriter): ValueWriter {
  return {
    wireType: 2,
    write: (sink, value) => {
      const mark = sink.written;
      const list = (value ?? []) as readonly Json[];
      for (let at = list.length - 1; at >= 0; at--) {
        write(sink, list[at] ?? null);
        sink.varint(8 + wireType);
      }
      sink.length(mark);
    },
  };
}
