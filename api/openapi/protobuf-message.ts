// OpenAPI documents as protocol buffers by tables: which key of the JSON is which field, and how its value is written.
import type { Json, JsonObject } from '#api/meta/object.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** How one JSON value is written as a field. */
export type Write = (writer: ProtobufWriter, field: number, value: Json) => void;
/** JSON key -> field number and how to write it. */
export type Message = Readonly<Record<string, readonly [field: number, write: Write]>>;

/** Strings. */
export const text: Write = (writer, field, value) => writer.string(field, String(value));
/** Booleans. */
export const flag: Write = (writer, field, value) => writer.boolean(field, value === true);
/** Lists of strings. */
export const texts: Write = (writer, field, value) => {
  for (const one of listOf(value)) writer.string(field, String(one));
};
/** Anything, as YAML text. */
export const any: Write = (writer, field, value) => writer.message(field, () => writer.string(2, `${JSON.stringify(value)}\n`));

/** A message whose fields are named in `fields()`; keys that start with x- go into the extensions at `extensions`. */
export function message(fields: () => Message, extensions?: number): Write {
  return (writer, field, value) =>
    writer.message(field, () => {
      const known = fields();
      for (const [key, one] of Object.entries(value as JsonObject)) {
        const place = Object.hasOwn(known, key) ? known[key] : undefined;
        if (place !== undefined) place[1](writer, place[0], one);
        else if (extensions !== undefined && key.startsWith('x-')) named(writer, extensions, key, one, any);
      }
    });
}

/** A map as repeated (name, value) pairs below a message of their own. */
export function pairs(write: Write, inner = 1): Write {
  return (writer, field, value) =>
    writer.message(field, () => {
      for (const [name, one] of Object.entries(value as JsonObject)) named(writer, inner, name, one, write);
    });
}

/** A pair of a name and a value. */
export function named(writer: ProtobufWriter, field: number, name: string, value: Json, write: Write): void {
  writer.message(field, () => {
    writer.string(1, name);
    write(writer, 2, value);
  });
}

/** A message that only wraps another, to choose between kinds. */
export function wrapped(choice: number, write: Write): Write {
  return (writer, field, value) => writer.message(field, () => write(writer, choice, value));
}

/** Every item of a list as a field of its own. */
export function each(write: Write): Write {
  return (writer, field, value) => {
    for (const one of listOf(value)) write(writer, field, one);
  };
}

/** Writes a whole document. */
export function encodeDocument(document: JsonObject, fields: Message): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [key, value] of Object.entries(document)) {
    const place = Object.hasOwn(fields, key) ? fields[key] : undefined;
    place?.[1](writer, place[0], value);
  }
  return Uint8Array.from(writer.bytes);
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}
