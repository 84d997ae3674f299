// How everything that is no struct, list or map stands in protobuf: texts and numbers as they are, the special types in a small
// message each.
import type { Json } from '#api/meta/object.ts';
import type { ProtobufSink } from './protobuf-sink.ts';
import { ProtobufError } from './protobuf-wire.ts';
import type { ArraySchema, MapSchema, ObjectSchema, Schema, SpecialSchema } from './schema.ts';
import { RawJson } from './raw-json.ts';
import { stringifyDeep } from './stringify-deep.ts';

/** Writes a value with its length, where it has one, but without a tag. null is Go's zero value. */
export interface LeafWriter {
  readonly wireType: 0 | 1 | 2;
  readonly write: (sink: ProtobufSink, value: Json) => void;
}

/** Definitions that JSON shows as one of several things, each in a field of its own here: of what a text, a list and a boolean are. */
export const eitherTypes: Readonly<Record<string, { readonly schema: number; readonly list?: number; readonly boolean?: number }>> = {
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': { schema: 1, list: 2 },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': { boolean: 1, schema: 2 },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': { schema: 1, list: 2 },
};

/** @param schemaProps how a JSONSchemaProps is written; asked for when one comes. */
export function leafWriter(schema: Exclude<Schema, ObjectSchema>, schemaProps: () => LeafWriter): LeafWriter {
  switch (schema.type) {
    case 'string':
      return { wireType: 2, write: schema.format === 'byte' ? writeBase64 : writeText };
    case 'integer':
      return { wireType: 0, write: (sink, value) => sink.integer(value === null ? 0 : Number(value)) };
    case 'number':
      return { wireType: 1, write: (sink, value) => sink.double(value === null ? 0 : Number(value)) };
    case 'boolean':
      return { wireType: 0, write: (sink, value) => sink.varint(value === true ? 1 : 0) };
    case 'quantity':
      return { wireType: 2, write: (sink, value) => inMessage(sink, () => tagged(sink, 0x0a, () => writeText(sink, value ?? '0'))) };
    case 'int-or-string':
      return { wireType: 2, write: writeIntOrString };
    case 'time':
    case 'micro-time':
      return { wireType: 2, write: schema.type === 'time' ? writeTime : writeMicroTime };
    case 'any':
    case 'raw':
    case 'fields-v1':
      return anyWriter(schema, schemaProps);
    case 'array':
    case 'map':
      throw new ProtobufError(`a list of ${schema.type}s has no place in protobuf`);
  }
}

/** What stands for a value that Go always writes where JSON has nothing. */
export function zeroOf(schema: Exclude<Schema, ArraySchema | MapSchema>): { readonly value: Json } {
  switch (schema.type) {
    case 'object':
      return { value: {} };
    case 'string':
      return { value: '' };
    case 'integer':
    case 'number':
    case 'int-or-string':
      return { value: 0 };
    case 'boolean':
      return { value: false };
    case 'quantity':
      return { value: '0' };
    default:
      return { value: null };
  }
}

function anyWriter({ name = '' }: SpecialSchema, schemaProps: () => LeafWriter): LeafWriter {
  const either = Object.hasOwn(eitherTypes, name) ? eitherTypes[name] : undefined;
  if (either === undefined) return { wireType: 2, write: writeJson };
  const write = (sink: ProtobufSink, value: Json): void => {
    inMessage(sink, () => {
      if (Array.isArray(value)) {
        for (const item of value.toReversed()) {
          if (typeof item === 'string') sink.text(item);
          else schemaProps().write(sink, item);
          sink.varint((either.list ?? 0) * 8 + 2);
        }
        return;
      }
      if (typeof value === 'object' && value !== null) tagged(sink, either.schema * 8 + 2, () => schemaProps().write(sink, value));
      if (either.boolean !== undefined) tagged(sink, either.boolean * 8, () => sink.varint(value === false || value === null ? 0 : 1));
    });
  };
  return { wireType: 2, write };
}

function writeText(sink: ProtobufSink, value: Json): void {
  sink.text(typeof value === 'string' ? value : value === null ? '' : String(value as number));
}

function writeBase64(sink: ProtobufSink, value: Json): void {
  sink.bytes(Buffer.from(typeof value === 'string' ? value : '', 'base64'));
}

function writeIntOrString(sink: ProtobufSink, value: Json): void {
  const isText = typeof value === 'string';
  inMessage(sink, () => {
    tagged(sink, 0x1a, () => sink.text(isText ? value : ''));
    tagged(sink, 0x10, () => sink.integer(isText ? 0 : Number(value)));
    tagged(sink, 0x08, () => sink.varint(isText ? 1 : 0));
  });
}

/** Only whole seconds, as upstream: JSON clients could not see the rest. */
function writeTime(sink: ProtobufSink, value: Json): void {
  writeTimestamp(sink, value, () => 0);
}

function writeMicroTime(sink: ProtobufSink, value: Json): void {
  writeTimestamp(sink, value, (text) => Number((/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(9, '0').slice(0, 6)) * 1_000);
}

/** A time without value is an empty message. */
function writeTimestamp(sink: ProtobufSink, value: Json, nanosOf: (text: string) => number): void {
  if (typeof value !== 'string') return sink.varint(0);
  const seconds = Math.floor(Date.parse(value) / 1_000);
  if (Number.isNaN(seconds)) throw new ProtobufError(`${JSON.stringify(value)} is no time`);
  inMessage(sink, () => {
    tagged(sink, 0x10, () => sink.integer(nanosOf(value)));
    tagged(sink, 0x08, () => sink.integer(seconds));
  });
}

/** JSON inside protobuf: the bytes of it. */
function writeJson(sink: ProtobufSink, value: Json): void {
  inMessage(sink, () => {
    if (value === null) return;
    tagged(sink, 0x0a, () => sink.bytes(RawJson.bytesOf(value) ?? Buffer.from(stringifyDeep(value))));
  });
}

function inMessage(sink: ProtobufSink, write: () => void): void {
  const mark = sink.written;
  write();
  sink.length(mark);
}

function tagged(sink: ProtobufSink, tag: number, write: () => void): void {
  write();
  sink.varint(tag);
}
