// The OpenAPI 2 document as protocol buffers (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`), which old kubectls
// want before they create or apply anything. Field numbers are those of gnostic's OpenAPIv2.proto; only what our documents
// contain is written. Extensions and defaults travel as YAML text, which JSON is.
import type { Json, JsonObject } from '#api/meta/object.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** How one JSON value is written as a field. */
type Write = (writer: ProtobufWriter, field: number, value: Json) => void;
/** JSON key -> field number and how to write it. */
type Message = Readonly<Record<string, readonly [field: number, write: Write]>>;

const text: Write = (writer, field, value) => writer.string(field, String(value));
const flag: Write = (writer, field, value) => writer.boolean(field, value === true);
const texts: Write = (writer, field, value) => {
  for (const one of listOf(value)) writer.string(field, String(one));
};
const any: Write = (writer, field, value) => writer.message(field, () => writer.string(2, `${JSON.stringify(value)}\n`));

/** A message whose fields are named in `fields()`; keys that start with x- go into the extensions at `extensions`. */
function message(fields: () => Message, extensions?: number): Write {
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
function pairs(write: Write, inner = 1): Write {
  return (writer, field, value) =>
    writer.message(field, () => {
      for (const [name, one] of Object.entries(value as JsonObject)) named(writer, inner, name, one, write);
    });
}

function named(writer: ProtobufWriter, field: number, name: string, value: Json, write: Write): void {
  writer.message(field, () => {
    writer.string(1, name);
    write(writer, 2, value);
  });
}

/** A message that only wraps another, to choose between kinds. */
function wrapped(choice: number, write: Write): Write {
  return (writer, field, value) => writer.message(field, () => write(writer, choice, value));
}

function each(write: Write): Write {
  return (writer, field, value) => {
    for (const one of listOf(value)) write(writer, field, one);
  };
}

const schema: Write = message(() => schemaFields, 31);
const schemaFields: Message = {
  $ref: [1, text],
  format: [2, text],
  description: [4, text],
  default: [5, any],
  required: [19, texts],
  additionalProperties: [21, wrapped(1, schema)],
  type: [22, wrapped(1, text)],
  items: [23, wrapped(1, schema)],
  properties: [25, pairs(schema)],
};

const reference = message(() => ({ $ref: [1, text], description: [2, text] }));
const bodyParameter = message(
  () => ({ description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] }),
  6,
);
const simpleFields = { required: [1, flag], in: [2, text], description: [3, text], name: [4, text] } satisfies Message;
const queryParameter = message(() => ({ ...simpleFields, type: [6, text], format: [7, text], uniqueItems: [20, flag] }), 23);
const pathParameter = message(() => ({ ...simpleFields, type: [5, text], format: [6, text], uniqueItems: [19, flag] }), 22);

const parameter: Write = (writer, field, value) => {
  const where = (value as JsonObject).in;
  const write =
    where === 'body' ? wrapped(1, bodyParameter) : wrapped(2, where === 'path' ? wrapped(4, pathParameter) : wrapped(3, queryParameter));
  write(writer, field, value);
};
const parameterOrReference: Write = (writer, field, value) => {
  const write = (value as JsonObject).$ref === undefined ? wrapped(1, parameter) : wrapped(2, reference);
  write(writer, field, value);
};
const response = message(() => ({ description: [1, text], schema: [2, wrapped(1, schema)] }), 5);

const operation = message(
  () => ({
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, each(parameterOrReference)],
    responses: [9, pairs(wrapped(1, response))],
    schemes: [10, texts],
  }),
  13,
);
const pathItem = message(() => ({
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  options: [6, operation],
  head: [7, operation],
  patch: [8, operation],
  parameters: [9, each(parameterOrReference)],
}));
const apiKey = message(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }));

const documentFields: Message = {
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, pairs(pathItem, 2)],
  definitions: [9, pairs(schema)],
  parameters: [10, pairs(parameter)],
  security: [12, each(pairs(wrappedTexts()))],
  securityDefinitions: [13, pairs(wrapped(2, apiKey))],
};

/** A list of strings as a message of its own. */
function wrappedTexts(): Write {
  return (writer, field, value) => writer.message(field, () => texts(writer, 1, value));
}

/** Encodes a document of buildOpenApiV2. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [key, value] of Object.entries(document)) {
    const place = Object.hasOwn(documentFields, key) ? documentFields[key] : undefined;
    place?.[1](writer, place[0], value);
  }
  return Uint8Array.from(writer.bytes);
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}
